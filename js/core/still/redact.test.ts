import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { encodeKeyframe } from "../testing/packets";
import { decodePacket, type KeyframePacket } from "../wire/packet";
import { redactKeyframe } from "./redact";

const ALICE = { host: "alice-laptop" };
const BOB = { host: "bob-laptop" };
const series = { entity: "gpu:0", metric: "gpu.power", unit: "W", kind: "gauge", labels: {} };
const source = { name: "dcgm", state: "failed", remedy: "", missing: [] };
const header = {
  series: [
    { id: 0, host: "alice-laptop", ...series },
    { id: 1, host: "bob-laptop", ...series },
    { id: 2, host: "bob-laptop", ...series, entity: "fs:/home/alice" },
    { id: 3, host: "bob-laptop", ...series, entity: "fs:/" },
  ],
  entities: [
    { ...ALICE, entity: "gpu:0", labels: { name: "H200", user: "alice", command: "secret.py" } },
    { ...BOB, entity: "host", labels: { name: "bob-laptop", os: "Linux" } },
    { ...BOB, entity: "fs:/home/alice", labels: { size: "1" } },
    { ...BOB, entity: "fs:/mnt/secret", labels: { size: "1" } },
  ],
  state: {
    phase: "running",
    title: "what they chose: /runs",
    recording: { path: "alice/x.pulse", bytes: 5, problem: "no room in /home/alice" },
    sources: [{ ...source, problem: "cannot read /home/alice/lib.so: no" }],
  },
  moments: [
    { ...BOB, time: 1, metric: "log.stdout", entity: "kernel", facts: { label: "secret" } },
    {
      ...{ ...BOB, time: 1, metric: "event", entity: "fs:/home/alice" },
      facts: { kind: "full", more: { cwd: "secret" } },
    },
    {
      ...{ ...BOB, time: 2, metric: "mark", entity: "kernel" },
      facts: { label: "epoch 1", traceback: "secret" },
    },
  ],
  spans: [
    {
      ...{ ...ALICE, id: "3", start: 1, end: null, metric: "cell", entity: "kernel" },
      facts: { source: "open('secret')", status: "ok" },
    },
  ],
};

test("a picture that leaves the machine keeps its curves and tells nothing of whose they are", () => {
  const codes = [
    [1, 2],
    [3, 65533],
  ] as const;
  const packet = encodeKeyframe(7, [0, 1, 2], [{ id: 0, lo: 0, hi: 9, codes }], {
    ...header,
    last: [8.5],
    odd: [{ series: 0, time: 1.5, step: null, what: "inf", more: "secret" }],
  });

  const redacted = redactKeyframe(packet);
  const keyframe = decodePacket(redacted) as KeyframePacket;

  expect(new TextDecoder().decode(redacted)).not.toMatch(/alice|bob|secret/);
  expect([...keyframe.max]).toEqual([2, 65533]);
  expect(keyframe.last).toEqual([8.5]);
  expect(keyframe.odd).toEqual([{ series: 0, time: 1.5, step: null, what: "inf" }]);
  const hosts = keyframe.series.map(({ host }) => host);
  expect(hosts).toEqual(["h0", "h1", "h1", "h1"]);
  const entities = keyframe.series.map(({ entity }) => entity);
  expect(entities).toEqual(["gpu:0", "gpu:0", "fs:mount-1", "fs:/"]);
  expect(keyframe.entities).toEqual([
    { host: "h0", entity: "gpu:0", labels: { name: "H200" } },
    { host: "h1", entity: "host", labels: { os: "Linux" } },
    { host: "h1", entity: "fs:mount-1", labels: { size: "1" } },
  ]);
  expect(keyframe.moments).toMatchObject([
    { host: "h1", entity: "fs:mount-1", facts: { kind: "full", more: {} } },
    { facts: { label: "epoch 1" } },
  ]);
  expect(keyframe.spans).toMatchObject([{ id: "3", facts: { status: "ok" } }]);
  expect(keyframe.state?.sources[0]?.problem).toBe("cannot read <path>: no");
  expect(keyframe.state?.title).toBe("what they chose: /runs");
  expect(keyframe.state?.recording).toMatchObject({ path: "x.pulse", bytes: 5 });
});

interface Examples {
  readonly host: string;
  readonly paths: Readonly<Record<string, string>>;
  readonly words: readonly string[];
  readonly hosts: Readonly<Record<string, string>>;
  readonly said: Readonly<Record<string, string>>;
}

const EXAMPLES: Examples = JSON.parse(
  readFileSync(new URL("../../../tests/data/redact.json", import.meta.url), "utf8"),
);

/** What is told of events of some facts, on a machine that is called as in the examples. */
function told(facts: readonly Record<string, unknown>[], host = "h0"): KeyframePacket {
  const owner = { host, entity: "kernel", metric: "mark" };
  const moments = facts.map((each, time) => ({ ...owner, time, facts: each }));
  const spans = facts.map((each, start) => ({
    ...{ ...owner, id: String(each["label"]), start, end: null, metric: "task" },
    facts: each,
  }));
  const packet = encodeKeyframe(1, [0, 1, 2], [], {
    series: [{ id: 0, ...series, host }],
    entities: [{ host, entity: "host", labels: { name: EXAMPLES.host } }],
    moments,
    spans,
  });
  return decodePacket(redactKeyframe(packet)) as KeyframePacket;
}

test.each([
  ...Object.entries(EXAMPLES.paths),
  ...Object.entries(EXAMPLES.hosts),
  ...EXAMPLES.words.map((word) => [word, word] as const),
])("of %j the browser tells %j, as the kernel does", (text, clean) => {
  const [moment] = told([{ label: text, kind: text, more: { [text]: [text] } }]).moments;
  expect(moment?.facts).toEqual({ label: clean, kind: clean, more: { [clean]: [clean] } });
});

test.each(Object.entries(EXAMPLES.said))("what the user said, %j, stays JSON", (label, clean) => {
  const owner = { host: "node-3", entity: "user" };
  const packet = encodeKeyframe(1, [0, 1, 2], [], {
    series: [{ id: 0, ...series, host: "node-3" }],
    entities: [
      { host: "node-3", entity: "host", labels: { name: EXAMPLES.host } },
      { ...owner, labels: { config: label, defined: label } },
      { host: "node-3", entity: "fs:/home/ada", labels: { config: label } },
    ],
  });
  const { entities } = decodePacket(redactKeyframe(packet)) as KeyframePacket;
  expect(entities.map(({ entity }) => entity)).toEqual(["host", "user"]);
  expect(entities[1]?.host).toBe("h0");
  for (const key of ["config", "defined"]) {
    expect(JSON.parse(entities[1]?.labels[key] ?? "")).toEqual(JSON.parse(clean));
  }
});

test("ids of spans are cleaned and stay different", () => {
  const ids = ["/home/alice/a-1", "/home/alice/a-2", "/home/alice/a-1", "1@0"];
  const { spans } = told(ids.map((label) => ({ id: label, label })));
  expect(spans.map(({ id }) => id)).toEqual(["<id 1>", "<id 2>", "<id 1>", "1@0"]);
  expect(spans.map(({ facts }) => facts["id"])).toEqual(spans.map(({ id }) => id));
});

test("a machine whose name is its id is numbered, and its name is hidden", () => {
  const { series, moments } = told([{ label: "seen on node-a" }], "node-a.corp");
  expect(series[0]?.host).toBe("h0");
  expect(moments[0]).toMatchObject({ host: "h0", facts: { label: "seen on <name>" } });
});

test("what was redacted once stays as it is", () => {
  const labels = [...Object.values(EXAMPLES.paths), ...Object.values(EXAMPLES.hosts), "<id 1>"];
  const facts = labels.map((label) => ({ label }));
  expect(told(facts).moments.map((one) => one.facts)).toEqual(facts.slice(-50));
});

test("a thing whose id has a path or a name is numbered, as in the kernel", () => {
  const ids = ["fs:/", "fs:/home/ada", "fs:/mnt/My Disk", "gpu:0/mig:1", "user", "pulse/log"];
  const named = ["net:eth0", "job:/home/ada/train.py", `node:${EXAMPLES.host}`, "job:7"];
  const { host } = EXAMPLES;
  const packet = encodeKeyframe(1, [0, 1], [], {
    series: [...ids, ...named].map((entity, id) => ({ id, ...series, host: "h0", entity })),
    entities: [{ host: "h0", entity: "host", labels: { name: host } }],
  });
  const told = decodePacket(redactKeyframe(packet)) as KeyframePacket;
  expect(told.series.map(({ entity }) => entity)).toEqual([
    ...["fs:/", "fs:mount-1", "fs:mount-2", "gpu:0/mig:1", "user", "pulse/log"],
    ...["net:eth0", "job:name-1", "node:name-1", "job:7"],
  ]);
});
