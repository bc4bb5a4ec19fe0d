/** The line with the newest event: alarms of the moment first, then what was told last. */

import { SIGN } from "../charts/marks";
import { h, setText } from "../dom";
import type { MomentWire } from "../source";
import { withLabels } from "../vocabulary/entities";
import { clockText } from "../vocabulary/time-text";
import { firingWords } from "./alert-list";
import type { GpuFacts } from "./gpu-facts";
import type { Readings } from "./readings";

export interface News {
  readonly time: number;
  readonly text: string;
  readonly alarm: boolean;
  /** `time` as it is said beside the other times in view; of an alarm its text says since when. */
  readonly clock: string;
}

/** So many of the older ones are listed. */
const MOST = 8;

/**
 * What is alarming at the moment, each GPU once, then what was told up to then; of both the newest
 * first.
 */
export function newsOf(readings: Readings, gpus: readonly GpuFacts[]): News[] {
  const { moment, source, names } = readings;
  const alarms = gpus
    .filter((gpu) => gpu.alarms.length > 0)
    .map((gpu): News => {
      const said = gpu.alarms.map(({ clause, since }) => `${clause}, ${since}`);
      const time = Math.max(...gpu.alarms.map((alarm) => alarm.time));
      return {
        time,
        text: `${names.label(gpu.owner)}: ${said.join("; ")}`,
        alarm: true,
        clock: "",
      };
    });
  const firing = firingWords(readings).map((one): News => ({ ...one, alarm: true, clock: "" }));
  const told = source
    .moments()
    .filter(({ time }) => moment === null || time <= moment)
    .map((one): News => {
      const clock = clockText(one.time, readings.time);
      return { time: one.time, text: textOf(one, readings), alarm: isAlarm(one), clock };
    })
    .sort((a, b) => b.time - a.time);
  return [...[...alarms, ...firing].sort((a, b) => b.time - a.time), ...told];
}

function isAlarm({ metric, facts }: MomentWire): boolean {
  return metric === "alert" ? facts["phase"] !== "quiet" : facts["kind"] === "oom";
}

function textOf({ facts, host, metric }: MomentWire, { names }: Readings): string {
  const said = String(facts["label"] ?? facts["message"] ?? metric);
  const text = withLabels(said.split("\n", 1)[0] ?? "");
  return names.several ? `${names.host(host)} \u00b7 ${text}` : text;
}

export class NewsLine {
  readonly el = h("details", { class: "pulse-news" });
  readonly #time = h("time");
  readonly #text = h("span", { class: "pulse-news-text" });
  readonly #more = h("span", { class: "pulse-news-more" });
  readonly #list = h("ol", { class: "pulse-news-list" });
  #told = "";

  constructor() {
    const said = h("span", { class: "pulse-news-said" }, this.#time, this.#text);
    const summary = h("summary", {}, said, this.#more);
    this.el.append(summary, this.#list);
  }

  update(news: readonly News[]): void {
    // Many alarms must not hide what was told.
    const now = news.findIndex((one) => one.clock !== "");
    const alarms = now < 0 ? news.length : now;
    const listed = [...news.slice(0, Math.min(alarms, MOST)), ...news.slice(alarms, alarms + MOST)];
    const text = JSON.stringify([listed, news.length]);
    if (text === this.#told) return;
    this.#told = text;
    const [first, ...others] = news;
    this.el.style.visibility = first ? "" : "hidden";
    if (!first) return;
    this.el.classList.toggle("pulse-alarm", first.alarm);
    setText(this.#time, lead(first));
    setText(this.#text, first.text);
    setText(this.#more, others.length > 0 ? `\u00a0\u00b7 ${others.length} more` : "");
    this.el.title = `${first.clock} ${first.text}`.trim();
    this.#list.replaceChildren(...listed.map(item));
  }
}

/** What stands before the text: a sign for alarms, the time of what was told. */
function lead({ clock, alarm }: News): string {
  return [alarm ? SIGN : "", clock].filter(Boolean).join(" ").concat("\u00a0");
}

function item(one: News): HTMLElement {
  return h("li", one.alarm ? { class: "pulse-alarm" } : {}, lead(one) + one.text);
}
