/**
 * What the kernel printed, on the time axis of the charts: one line with the newest while it is
 * folded, a list that follows the cursor while it is open. It is there only where something is
 * printed and may be shown.
 */

import { h, setAttribute, setText } from "../dom";
import type { Source, Stretch } from "../source";
import { plainOf } from "../vocabulary/ansi";
import type { AxisRange } from "../vocabulary/axis-range";
import { entityLabel } from "../vocabulary/entities";
import { kindOf } from "../vocabulary/kinds";
import { Owners, ownerKey } from "../vocabulary/owners";
import { clockText } from "../vocabulary/time-text";
import { PrintedList } from "./printed-list";
import { lineElement } from "./printed-row";
import { isLine, nextOf, type Row, rowAt, rowsIn, Search } from "./printed-rows";
import { gapWord, sayingOf } from "./printed-words";
import { isOpen } from "./section-plan";
import type { Action, ViewState } from "./view-state";

const TITLE = "Output";
/** Lines that are asked for at once. */
const MOST = 1000;
/** Among so many of the newest lines the last that is not blank is shown. */
const NEWEST = 20;

export interface OutputEvents {
  dispatch(action: Action): void;
  /** The viewer points at a line of this time; null: no longer. */
  cursor(time: number | null, top: number): void;
}

/** What of the lines is to be shown, and how. */
export interface OutputView {
  readonly open: boolean;
  readonly range: AxisRange;
  /** The range is only a part of what there is. */
  readonly isPart: boolean;
}

/** A range that the viewer chose limits what is shown, and so does a pause. */
export function outputView({ range, pausedAt, ...state }: ViewState): OutputView {
  return {
    open: isOpen(state, TITLE, false),
    range: range ?? [0, pausedAt ?? Number.POSITIVE_INFINITY],
    isPart: range !== null,
  };
}

export class OutputPane {
  readonly el = h("section", {
    class: "pulse-group pulse-out",
    "aria-label": TITLE,
    hidden: true,
  });
  readonly #source: Source;
  readonly #events: OutputEvents;
  readonly #list: PrintedList;
  readonly #toggle = h("button", { type: "button" }, h("span", {}, TITLE));
  readonly #newest = h("span", { class: "pulse-out-newest" });
  readonly #note = h("span", { class: "pulse-note", role: "status" });
  readonly #input = h("input", {
    type: "search",
    class: "pulse-search",
    placeholder: "search",
    "aria-label": "Search the output",
    title: "Enter: next, Shift + Enter: the one before",
    spellcheck: "false",
    autocomplete: "off",
  });
  readonly #count = h("span", { class: "pulse-detail", role: "status" });
  readonly #down = h("button", { type: "button", title: "Show the newest line" }, "Newest");
  readonly #tools = h("span", { class: "pulse-out-tools" }, this.#count, this.#input, this.#down);
  readonly #say = h("p", { class: "pulse-detail pulse-out-say", role: "status" });
  readonly #sight: IntersectionObserver;
  #isSeen = false;
  #unwatch: (() => void) | null = null;
  #view: OutputView = { open: false, range: [0, Infinity], isPart: false };
  #search = new Search("");
  #places: readonly number[] = [];
  #cursor: number | null = null;
  /** The cursor is where the viewer points at in here. */
  #isOwn = false;
  #isPointing = false;
  /** Stays when the viewer points elsewhere. */
  #chosen: number | null = null;
  #because: readonly unknown[] = [];
  readonly #series = new Map<number, { readonly isError: boolean; readonly owner: string }>();
  /** The newest line was asked for, and the kernel was busy since. */
  #isAsked = false;
  #isOld = false;

  constructor(source: Source, events: OutputEvents) {
    this.#source = source;
    this.#events = events;
    this.#list = new PrintedList({
      make: (row) => this.#make(row),
      point: (row) => this.#point(row),
      choose: (row) => {
        this.#chosen = isLine(row) && row.time !== this.#chosen ? row.time : null;
        this.#point(row);
      },
      moved: () => {
        this.#down.hidden = this.#list.isStuck;
        this.#want();
      },
    });
    const heading = h("h3", {}, this.#toggle);
    const head = h("header", { class: "pulse-group-head" }, heading, this.#newest, this.#note);
    head.append(this.#tools);
    this.el.append(head, this.#list.el, this.#say);
    this.#listen();
    this.#sight = new IntersectionObserver((entries) => {
      this.#isSeen = entries[entries.length - 1]?.isIntersecting ?? false;
      this.draw(this.#view);
    });
    this.#sight.observe(this.el);
    document.addEventListener("visibilitychange", this.#turned);
  }

  destroy(): void {
    document.removeEventListener("visibilitychange", this.#turned);
    this.#sight.disconnect();
    this.#unwatch?.();
    this.#unwatch = null;
    this.el.remove();
  }

  draw(view: OutputView): void {
    this.#view = view;
    const { open } = view;
    this.el.hidden = this.#series.size === 0;
    this.el.dataset["open"] = String(open);
    setAttribute(this.#toggle, "aria-expanded", String(open));
    this.#newest.hidden = open;
    this.#note.hidden = !open;
    if (!open) {
      this.#tools.hidden = this.#list.el.hidden = this.#say.hidden = true;
      // It opens again with the newest line.
      this.#because = [];
      this.#list.isStuck = true;
    }
    this.#look();
    if (this.el.hidden || !this.#isSeen) return;
    if (open) this.#show();
    else this.#showNewest();
  }

  /** The cursor is at a time, or nowhere. */
  point(time: number | null): void {
    if (time === this.#cursor) return;
    this.#cursor = time;
    this.#isOwn = this.#isPointing;
    if (!this.#isPointing) this.#chosen = null;
    if (this.#view.open && !this.el.hidden) this.#follow();
  }

  #listen(): void {
    this.#toggle.addEventListener("click", () => {
      this.#events.dispatch({ type: "open", group: TITLE, open: !this.#view.open });
    });
    this.#down.addEventListener("click", () => {
      this.#list.stick();
      this.#list.el.focus({ preventScroll: true });
    });
    this.#input.addEventListener("input", () => {
      this.#search = new Search(this.#input.value.slice(0, 200));
      this.#list.renew();
      this.#places = this.#search.places(this.#list.rows);
      this.#go(this.#list.first - 1, false);
    });
    this.#input.addEventListener("keydown", (event) => {
      // What is typed is no command.
      event.stopPropagation();
      if (event.key === "Escape") this.#leave();
      if (event.key !== "Enter") return;
      event.preventDefault();
      const { match, first } = this.#list;
      this.#go(match < 0 ? first - 1 : match, event.shiftKey);
    });
  }

  /** The first time forget what is searched for, then leave the box. */
  #leave(): void {
    if (this.#input.value === "") this.#list.el.focus({ preventScroll: true });
    this.#input.value = "";
    this.#input.dispatchEvent(new Event("input"));
  }

  /** Learn which series are lines of text, and whose they are. */
  know(): void {
    const catalog = this.#source.catalog();
    const found = this.#source.printed
      ? catalog.filter((one) => kindOf(one).drawnAs === "text")
      : [];
    const owners = new Owners(
      this.#source.entities(),
      catalog.map(({ host }) => host),
    );
    const several = new Set(found.map(ownerKey)).size > 1;
    this.#series.clear();
    for (const { id, metric, host, entity } of found) {
      // Lines are of kernels: "rank:3/kernel" says no more than its rank.
      const name = entityLabel(entity.replace(/(^|\/)kernel$/, ""));
      const parts = [
        owners.several ? owners.host(host) : "",
        name || (owners.several ? "" : "kernel"),
      ];
      const owner = parts.filter(Boolean).join(" \u00b7 ");
      this.#series.set(id, { isError: metric === "log.stderr", owner: several ? owner : "" });
    }
    this.#list.renew();
  }

  #make(row: Row): HTMLElement {
    if (isLine(row)) {
      const facts = this.#series.get(row.series) ?? { isError: false, owner: "" };
      const beside = this.#source.lines?.().at(-1)?.time ?? row.time;
      return lineElement(row, { ...facts, search: this.#search, beside });
    }
    return h("div", { class: "pulse-out-row pulse-out-gap" }, gapWord(this.#source));
  }

  /**
   * New lines are sent only while the pane is open and the page is looked at. Whoever starts a cell
   * scrolls it out of sight, and comes back while that runs, when nothing can be asked.
   */
  #look(): void {
    const { open } = this.#view;
    const isAway = document.hidden && !this.#source.state().kernel.busy;
    const looks = (this.#isSeen || this.#unwatch !== null) && open && !isAway && !this.el.hidden;
    if (looks && !this.#unwatch) this.#unwatch = this.#source.printed?.watch() ?? null;
    else if (!looks && this.#unwatch) {
      this.#unwatch();
      this.#unwatch = null;
    }
  }

  readonly #turned = (): void => this.draw(this.#view);

  #show(): void {
    const { range } = this.#view;
    const lines = this.#source.lines?.() ?? [];
    const known = this.#source.printed?.known() ?? [];
    const because = [lines, known, ...range, this.#source.printed?.awaited()];
    if (because.some((one, i) => one !== this.#because[i])) {
      this.#because = because;
      const rows = rowsIn(lines, known, range);
      // What is hidden cannot be scrolled.
      this.#list.el.hidden = this.#tools.hidden = rows.length === 0;
      this.#list.show(rows);
      this.#find();
      this.#follow();
    }
    const rows = this.#list.rows;
    const count = rows.filter(isLine).length;
    const isAll = count === rows.length;
    const words = `${numberText(count)} ${count === 1 ? "line" : "lines"} in view`;
    setText(this.#note, count > 0 ? `${words}${isAll ? "" : " so far"}` : "");
    const saying = sayingOf(this.#source, {
      count,
      isAll,
      isPart: this.#view.isPart,
      from: range[0],
    });
    setText(this.#say, saying);
    this.#say.hidden = saying === "";
    this.#want();
  }

  #showNewest(): void {
    const lines = (this.#source.lines?.() ?? []).slice(-NEWEST);
    const line = lines.findLast(({ text }) => plainOf(text).trim() !== "");
    this.#newest.replaceChildren();
    if (line) {
      const text = plainOf(line.text).trim().slice(0, 300);
      this.#newest.append(h("time", {}, clockText(line.time)), text);
    }
    // The kernel prints while it is busy: then it cannot answer, and afterwards once is enough.
    const { busy } = this.#source.state().kernel;
    if (busy) this.#isOld = true;
    const isDue = !this.#isAsked || (this.#isOld && !busy);
    if (!isDue || document.hidden) return;
    [this.#isAsked, this.#isOld] = [true, false];
    this.#source.printed?.want(0, Infinity, NEWEST);
  }

  /** Ask for what is not here and in sight, or where the cursor is. */
  #want(): void {
    const { printed } = this.#source;
    if (!this.#unwatch || !printed) return;
    const { rows, first, shown, isStuck, isAway } = this.#list;
    const top = rows[first];
    printed.look(!isStuck && top && isLine(top) ? top.time : Infinity);
    const time = this.#isOwn ? null : this.#cursor;
    const at = time === null ? undefined : rows[rowAt(rows, time)];
    if (at && !isLine(at)) {
      printed.want(at.t0, Math.min(at.t1, time as number), MOST);
      return;
    }
    const gap = shown.findLast((row) => !isLine(row)) as Stretch | undefined;
    if (!gap) return;
    const { t0, t1 } = gap;
    // Whoever reads on from the lines before a gap wants the next ones, about as many again.
    const goesOn = isAway && rows.indexOf(gap) > first;
    const before = goesOn && printed.known().find((one) => one.t1 === t0);
    const end = before ? t0 + Math.max(before.t1 - before.t0, 1) : t1;
    printed.want(t0, Math.min(t1, end), MOST);
  }

  #follow(): void {
    const time = this.#cursor;
    if (time === null) this.#list.unmark();
    else this.#list.mark(rowAt(this.#list.rows, time), !this.#isOwn);
  }

  #point(row: Row | null): void {
    this.#isPointing = true;
    this.#events.cursor(row && isLine(row) ? row.time : this.#chosen, 0);
    this.#isPointing = false;
  }

  #find(): void {
    this.#places = this.#search.places(this.#list.rows);
    const { length } = this.#places;
    const place = this.#places.indexOf(this.#list.match) + 1;
    this.#count.hidden = this.#search.text === "";
    setText(this.#count, length > 0 ? `${numberText(place)} of ${numberText(length)}` : "no match");
  }

  /** Go to the match after a row, or to the one before it. */
  #go(from: number, back: boolean): void {
    this.#list.go(nextOf(this.#places, from, back));
    this.#find();
  }
}

function numberText(count: number): string {
  return count.toLocaleString("en");
}
