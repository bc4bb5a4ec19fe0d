/** The alerts that the user set, in words: those that fire, and all of them with how they do. */

import { firingsIn } from "../charts/alerts";
import { SIGN } from "../charts/marks";
import { h } from "../dom";
import { isOver, type Source } from "../source";
import type { AlertState } from "../state.gen";
import { CATALOG } from "../vocabulary/catalog.gen";
import { formatValue } from "../vocabulary/format";
import { Owners } from "../vocabulary/owners";
import type { Readings } from "./readings";

/** An alert that fires. */
export interface FiringWords {
  readonly time: number;
  readonly text: string;
}

type About = Pick<AlertState, "host" | "entity" | "text">;

const WORDS: Readonly<Record<AlertState["phase"], string>> = {
  quiet: "quiet",
  pending: "not yet long enough: true",
  firing: "firing",
  "no data": "waiting for data",
  failed: "failed",
};

/** A metric by itself on the left of a comparison, quoted where it has no dots. */
const LEFT = /^\s*(?:"([^"]+)"|([a-z_][\w]*(?:\.\w+)+))\s*[<>=!]/;

/** The unit of what an alert compares, where that is one metric. Pure. */
export function unitOfAlert(text: string, source: Pick<Source, "catalog">): string {
  const [, quoted, dotted] = LEFT.exec(text) ?? [];
  const metric = quoted ?? dotted;
  if (metric === undefined) return "";
  const found = source.catalog().find((one) => one.metric === metric)?.unit;
  return found ?? (Object.hasOwn(CATALOG, metric) ? (CATALOG[metric]?.unit ?? "") : "");
}

/** "gpu.power > 600 on GPU 3". */
function aboutText({ text, host, entity }: About, names: Owners): string {
  const owner = { host, entity };
  const isMachine = entity === "" || entity === "host";
  if (!isMachine) return `${text} on ${names.label(owner)}`;
  return names.several && host ? `${text} on ${names.host(host)}` : text;
}

/** " for 42 s", whole seconds; empty where it is not known since when. */
function forText(since: number | null, now: number): string {
  const known = since !== null && Number.isFinite(since) && Number.isFinite(now);
  return known ? ` for ${formatValue(Math.max(Math.floor(now - since), 0), "s")}` : "";
}

/** The condition may end in a length of time itself. */
function firingText(alert: About, names: Owners, length: string): string {
  return `${aboutText(alert, names)}, firing${length}`;
}

/** What fires now or fired at the moment of the readings. */
export function firingWords({ source, moment, names, time }: Readings): FiringWords[] {
  if (moment === null) {
    const firing = (source.state().alerts ?? []).filter(({ phase }) => phase === "firing");
    return firing.map((alert) => ({
      time: alert.since ?? time,
      text: firingText(alert, names, forText(alert.since, time)),
    }));
  }
  const told = source.moments().filter((one) => one.metric === "alert" && one.time <= moment);
  return firingsIn(told.map((one) => ({ ...one, start: one.time })))
    .filter(({ end }) => end === null)
    .map((one) => ({
      time: one.start,
      text: firingText(one, names, forText(one.start, moment)),
    }));
}

/** What is said of one alert beside its condition. Pure. */
export function alertText(alert: AlertState, source: Pick<Source, "catalog">, now: number): string {
  const { phase, value, since, problem } = alert;
  const known = value !== null && Number.isFinite(value);
  return [
    `${phase === "firing" ? `${SIGN} ` : ""}${WORDS[phase]}${forText(since, now)}`,
    known ? `now ${formatValue(value, unitOfAlert(alert.text, source))}` : "",
    problem,
  ]
    .filter(Boolean)
    .join(" \u00b7 ");
}

/** All alerts, folded into a line that says how many there are, and how many fire. */
export class AlertList {
  readonly el = h("details", { class: "pulse-alerts", hidden: true });
  readonly #head = h("summary");
  readonly #list = h("div", { class: "pulse-pairs" });
  #told = "";

  constructor() {
    this.el.append(this.#head, this.#list);
  }

  update(source: Source): void {
    const alerts = source.state().alerts ?? [];
    this.el.hidden = alerts.length === 0;
    if (alerts.length === 0) return;
    const names = new Owners(
      source.entities(),
      source.catalog().map(({ host }) => host),
    );
    const [, now] = source.extent();
    const rows = alerts.map((alert) => {
      return [aboutText(alert, names), alertText(alert, source, now), loud(alert)] as const;
    });
    const told = JSON.stringify(rows);
    if (told === this.#told) return;
    this.#told = told;
    // What is over asks for nothing.
    const count = isOver(source) ? 0 : alerts.filter(loud).length;
    const look = count === 1 ? "1 needs a look" : `${count} need a look`;
    this.el.classList.toggle("pulse-loud", count > 0);
    this.#head.textContent = `Alerts (${alerts.length})${count > 0 ? `, ${SIGN} ${look}` : ""}`;
    this.#list.replaceChildren(
      ...rows.flatMap(([about, text, isLoud]) => [
        h("b", {}, about),
        h("span", isLoud ? { class: "pulse-alarm" } : {}, text),
      ]),
    );
  }
}

/** It fires, or it cannot do what it is for. */
function loud({ phase }: AlertState): boolean {
  return phase === "firing" || phase === "failed";
}
