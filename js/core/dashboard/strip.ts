/** The strip: one line that says how the machine does, or how some metrics do. */

import type { Group, Line, Panel } from "../charts/groups";
import { SIGN } from "../charts/marks";
import { h, setAttribute, setText } from "../dom";
import { isOver } from "../source";
import type { AxisRange } from "../vocabulary/axis-range";
import { formatValue } from "../vocabulary/format";
import { type Ground, lineColor } from "../vocabulary/palette";
import { firingWords } from "./alert-list";
import { degreesText, mean, ofText, wattsText } from "./amounts";
import { fleetFacts } from "./fleet";
import { type GpuFacts, gpuFacts } from "./gpu-facts";
import { machineFacts } from "./machine";
import type { Readings } from "./readings";
import { Sparkline } from "./sparkline";

interface Part {
  readonly key: string;
  readonly text: string;
  readonly title: string;
  readonly alarm: boolean;
}

/** What the strip says, part by part: what is set in bold stands between asterisks. Pure. */
export function stripParts(readings: Readings): Part[] {
  const gpus = gpuFacts(readings);
  const several = readings.hosts.length > 1;
  const lines = readings.hosts.flatMap((host) => {
    const name = several ? `${readings.names.host(host)} \u00b7 ` : "";
    const own = gpus.filter(({ owner }) => owner.host === host);
    return [
      ...(own.length > 0 ? gpuParts(own, `${host} `, name) : []),
      ...machineFacts(host, readings).map(({ key, line, short }, place) => {
        const whose = place === 0 && own.length === 0 ? name : "";
        return part(`${host} ${key}`, `${whose}${short}`, line);
      }),
    ];
  });
  return [...lines, ...alertPart(readings)];
}

/** What fires; of what it is about the title tells. */
function alertPart(readings: Readings): Part[] {
  const firing = firingWords(readings).map(({ text }) => text);
  if (firing.length === 0) return [];
  const count = firing.length === 1 ? "1 alert" : `${firing.length} alerts`;
  // Asterisks of a condition are no marks of what is bold.
  const title = firing.join("; ");
  return [{ key: "alerts", text: `${SIGN} ${count}`, title, alarm: true }];
}

/** Of several GPUs the mean and the spread of the load, the means of memory and power, the hottest. */
function gpuParts(gpus: readonly GpuFacts[], prefix: string, host: string): Part[] {
  const known = (of: (gpu: GpuFacts) => number | null) => gpus.map(of).filter((v) => v !== null);
  const [busy, watts, heats] = [
    known((gpu) => gpu.busy),
    known((gpu) => gpu.power),
    known((gpu) => gpu.heat),
  ];
  const [used, total] = [mean(known((gpu) => gpu.used)), mean(known((gpu) => gpu.total))];
  const { lost } = fleetFacts(gpus);
  const many = gpus.length > 1;
  const name = many ? `${gpus.length} GPUs` : (gpus[0]?.label ?? "");
  const spread = many && busy.length > 1 ? ` (${spreadText(busy)})` : "";
  const of = many ? "mean of the GPUs: " : "";
  const load = `${host}${name} *${formatValue(mean(busy), "1")}*${spread}`;
  const hottest = degreesText(Math.max(...heats));
  return [
    part(`${prefix}gpu`, load, `busy, ${of}${formatValue(mean(busy), "1")}`),
    ...(lost > 0 ? [{ ...part(`${prefix}lost`, `${SIGN} ${lost} lost`), alarm: true }] : []),
    ...(used === null
      ? []
      : [
          part(
            `${prefix}memory`,
            `mem *${ofText(used, total)}*`,
            `memory, ${of}${ofText(used, total)}`,
          ),
        ]),
    ...(watts.length > 0
      ? [part(`${prefix}power`, wattsText(mean(watts)), `power, ${of}${wattsText(mean(watts))}`)]
      : []),
    ...(heats.length > 0 ? [part(`${prefix}heat`, hottest, `the hottest: ${hottest}`)] : []),
  ];
}

function spreadText(shares: readonly number[]): string {
  const percent = (share: number) => Math.round(share * 100);
  return `${percent(Math.min(...shares))}\u2013${percent(Math.max(...shares))}`;
}

function part(key: string, text: string, title = text): Part {
  return { key, text, title: title.replaceAll("*", ""), alarm: false };
}

/** A metric of the user's choice: a name, how it went, and its value. */
interface Chosen {
  readonly el: HTMLElement;
  readonly spark: Sparkline;
  readonly value: HTMLElement;
}

/** What the user chose, and the globs it was chosen by. */
export interface Asked {
  readonly groups: readonly Group[];
  readonly metrics: readonly string[];
}

/** Their charts; what is read of the machine as a whole stands for its parts, too. */
function panelsOf(groups: readonly Group[]): Panel[] {
  const panels = groups.flatMap((group) => group.panels);
  const whole = new Set(panels.flatMap(({ lines }) => lines.filter(isWhole).map(metricOf)));
  return panels.filter(
    ({ lines }) => lines.some(isWhole) || !lines.some((line) => whole.has(metricOf(line))),
  );
}

const isWhole = ({ series }: Line) => series.entity === "host";
const metricOf = ({ series }: Line) => series.metric;

/** So many metrics are a line; more are charts. */
const MOST_CHOSEN = 24;

export class Strip {
  readonly el: HTMLElement = h("div", {
    class: "pulse-strip",
    role: "group",
    "aria-label": "Summary",
  });
  readonly #chosen = new Map<string, Chosen>();
  readonly #cells = h("span", { class: "pulse-strip-cells", "aria-hidden": "true" });
  readonly #none = h("span", { class: "pulse-strip-none", role: "status" });
  #told = "";

  update(readings: Readings, ground: Ground): void {
    const parts = stripParts(readings);
    const text = JSON.stringify(parts);
    this.#paintCells(gpuFacts(readings), ground);
    if (text === this.#told) return;
    this.#told = text;
    this.el.replaceChildren(
      this.#cells,
      ...parts.map(({ text: said, alarm, title, key }) => {
        const span = h("span", { class: alarm ? "pulse-alarm" : "", title, "data-part": key });
        const bold = said.split("*").map((one, i) => (i % 2 === 1 ? h("b", {}, one) : one));
        span.append(...bold);
        return span;
      }),
    );
  }

  /** A few metrics instead: each with its curve in `range`. */
  updateChosen(asked: Asked, readings: Readings, range: AxisRange, ground: Ground): void {
    const panels = panelsOf(asked.groups).slice(0, MOST_CHOSEN);
    const yet = isOver(readings.source) ? "" : " so far";
    setText(this.#none, `no metric matches ${asked.metrics.join(", ")}${yet}`);
    if (panels.length > 0) this.#none.remove();
    else if (!this.#none.parentElement) this.el.append(this.#none);
    const keys = new Set(panels.map(({ key }) => key));
    for (const [key, { el }] of this.#chosen) {
      if (keys.has(key)) continue;
      el.remove();
      this.#chosen.delete(key);
    }
    for (const panel of panels) {
      const { spark, value } = this.#chosenOf(panel.key, panel.title);
      const values = panel.lines
        .map(({ id }) => readings.ofId(id)?.value ?? Number.NaN)
        .filter((one) => !Number.isNaN(one));
      const [low, high] = [Math.min(...values), Math.max(...values)];
      const text = (one: number) => formatValue(one, panel.unit);
      const said = values.length === 0 ? formatValue(null, "") : text(low);
      setText(
        value,
        text(low) === text(high) || values.length < 2 ? said : `${said} to ${text(high)}`,
      );
      const ids = panel.lines.map(({ id }) => id);
      const top = panel.unit === "1" && panel.whole ? 1 : null;
      spark.draw(readings.source, ids, range, "mean", top, lineColor(0, ground));
    }
  }

  #chosenOf(key: string, title: string): Chosen {
    const known = this.#chosen.get(key);
    if (known) return known;
    const [spark, value] = [new Sparkline(), h("b")];
    const name = h("span", { class: "pulse-strip-name", title }, title);
    const el = h("span", { class: "pulse-strip-metric" }, name, spark.el, value);
    const chosen = { el, spark, value };
    this.#chosen.set(key, chosen);
    this.el.append(el);
    return chosen;
  }

  /** A small bar for each GPU: one that does otherwise than the others stands out. */
  #paintCells(gpus: readonly GpuFacts[], ground: Ground): void {
    while (this.#cells.children.length > gpus.length) this.#cells.lastElementChild?.remove();
    for (const [i, gpu] of gpus.entries()) {
      const cell = (this.#cells.children[i] ?? this.#cells.appendChild(h("i"))) as HTMLElement;
      cell.style.setProperty("--share", String(Math.min(Math.max(gpu.busy ?? 0, 0), 1)));
      cell.style.setProperty("--line", lineColor(gpus.length > 8 ? 0 : gpu.color, ground));
      cell.classList.toggle("pulse-unknown", gpu.busy === null);
      setAttribute(cell, "title", `${gpu.label} ${formatValue(gpu.busy, "1")}`);
    }
    this.#cells.hidden = gpus.length < 2;
  }
}
