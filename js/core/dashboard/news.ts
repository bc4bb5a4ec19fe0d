/** The line with the newest event: alarms of the moment first, then what was told last. */

import { h, setText } from "../dom";
import type { MomentWire } from "../source";
import { entityLabel } from "../vocabulary/entities";
import { clockText } from "../vocabulary/time-text";
import { SIGN } from "./gpu-cards";
import type { GpuFacts } from "./gpu-facts";
import type { Readings } from "./readings";

export interface News {
  readonly time: number;
  readonly text: string;
  readonly alarm: boolean;
  /** `time` as it is said beside the other times in view. */
  readonly clock: string;
}

/** So many of the older ones are listed. */
const MOST = 8;
const ENTITY = /\b(?:gpu|mig|nic|disk|net|cpu):\d+(?:\/\w+:\d+)*/g;

/**
 * What is alarming at the moment, each GPU once, then what was told up to then, the newest first.
 * Pure.
 */
export function newsOf(readings: Readings, gpus: readonly GpuFacts[]): News[] {
  const { moment, source, names } = readings;
  const alarms = gpus
    .filter((gpu) => gpu.alarms.length > 0)
    .map((gpu): News => {
      const text = `${names.label(gpu.owner)}: ${gpu.alarms.map(({ clause }) => clause).join(", ")}`;
      const time = gpu.alarms[0]?.time ?? readings.time;
      return { time, text, alarm: true, clock: clockText(time, readings.time) };
    });
  const told = source
    .moments()
    .filter(({ time }) => moment === null || time <= moment)
    .map((one): News => {
      const clock = clockText(one.time, readings.time);
      return { time: one.time, text: textOf(one, readings), alarm: isAlert(one), clock };
    })
    .sort((a, b) => b.time - a.time);
  return [...alarms, ...told];
}

function isAlert({ metric }: MomentWire): boolean {
  return metric === "alert";
}

function textOf({ facts, host, metric }: MomentWire, { names }: Readings): string {
  const said = String(facts["label"] ?? facts["message"] ?? metric);
  const text = said.replace(ENTITY, (entity) => entityLabel(entity));
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
    const summary = h("summary", {}, this.#time, this.#text, this.#more);
    this.el.append(summary, this.#list);
  }

  update(news: readonly News[]): void {
    const text = JSON.stringify(news.slice(0, MOST + 1).concat({ time: news.length } as News));
    if (text === this.#told) return;
    this.#told = text;
    const [first, ...others] = news;
    this.el.style.visibility = first ? "" : "hidden";
    if (!first) return;
    this.el.classList.toggle("pulse-alarm", first.alarm);
    setText(this.#time, `${first.alarm ? `${SIGN} ` : ""}${first.clock}\u00a0`);
    setText(this.#text, first.text);
    setText(this.#more, others.length > 0 ? `\u00a0\u00b7 ${others.length} more` : "");
    this.el.title = `${first.clock} ${first.text}`;
    this.#list.replaceChildren(...news.slice(0, MOST).map(item));
  }
}

function item({ clock, text, alarm }: News): HTMLElement {
  const sign = alarm ? `${SIGN} ` : "";
  return h("li", alarm ? { class: "pulse-alarm" } : {}, `${sign}${clock} ${text}`);
}
