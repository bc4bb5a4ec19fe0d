// Ask hyparquet about a recording: `node ask.mjs FILE` prints one JSON object, as ask.py does.
import { createHash } from 'node:crypto'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'

// Its own parser makes a Date of a time, which has milliseconds only.
const parsers = { timestampFromMicroseconds: micros => micros }
const file = await asyncBufferFromFile(process.argv[2])
const columns = ['host', 'entity', 'metric', 'time', 'step', 'value', 'text']
const rows = await parquetReadObjects({ file, columns, compressors, parsers })
const blobs = await parquetReadObjects({ file, columns: ['data'], compressors, utf8: false })

function digest(pieces) {
  const made = createHash('sha256')
  for (const piece of pieces) {
    const raw = Buffer.from(piece)
    const size = Buffer.alloc(8)
    size.writeBigInt64LE(BigInt(raw.length))
    made.update(size).update(raw)
  }
  return made.digest('hex')
}

function bits(value) {
  if (Number.isNaN(value)) return 'nan'
  const raw = Buffer.alloc(8)
  raw.writeDoubleLE(value)
  return raw
}

const series = new Map()
rows.forEach((row, place) => {
  const key = `${row.host}|${row.entity}|${row.metric}`
  if (!series.has(key)) series.set(key, [])
  series.get(key).push({ ...row, data: blobs[place].data })
})

const there = (held, name) => held.map(row => row[name]).filter(x => x !== null && x !== undefined)
const least = values => values.reduce((a, b) => (a < b ? a : b))
const most = values => values.reduce((a, b) => (a > b ? a : b))
const answers = {}
for (const [key, held] of series) {
  const [time, value, step, text, data] = ['time', 'value', 'step', 'text', 'data'].map(name =>
    there(held, name),
  )
  const finite = value.filter(Number.isFinite)
  const total = finite.reduce((a, b) => a + b, 0)
  answers[key] = {
    rows: held.length,
    first: Number(least(time)),
    last: Number(most(time)),
    mean: finite.length ? total / finite.length : null,
    numbers: value.length,
    nans: value.filter(Number.isNaN).length,
    total,
    values: digest(value.map(bits)),
    steps: step.length,
    least: step.length ? least(step) : null,
    most: step.length ? most(step) : null,
    sum: String(step.reduce((a, b) => a + b, 0n)),
    texts: text.length,
    text: digest(text),
    payloads: data.length,
    data: digest(data),
  }
}
// A step may be larger than what a number of this language holds.
console.log(
  JSON.stringify(answers, (_, x) => (typeof x === 'bigint' ? `#${x}#` : x)).replaceAll(
    /"#(-?\d+)#"/g,
    '$1',
  ),
)
