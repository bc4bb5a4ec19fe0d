/** The processes that use GPUs, the one that holds most first: a table, no chart. */

import { h, setAttribute, setText } from "../dom";
import { formatValue, MISSING } from "../vocabulary/format";
import { momentText } from "../vocabulary/time-text";
import type { Panel, Process } from "./panel";
import type { ChartKind, Scene, View } from "./panel-view";

export const PROCESSES: ChartKind = {
  name: "processes",
  fits: ({ processes }) => processes !== undefined,
  make: (panel) => new ProcessTable(panel),
};

/** Rows that are shown without being asked for. */
const MOST_ROWS = 12;

/** A process with its values of one moment; null where there is none. */
export interface ProcessRow {
  readonly process: Process;
  readonly memory: number | null;
  readonly sm: number | null;
  readonly cpu: number | null;
}

/** The processes of which there is a value, by the memory they hold; several together come last. */
export function processRows(
  processes: readonly Process[],
  readingOf: (id: number) => number | null,
): ProcessRow[] {
  const value = (id: number | null) => {
    const found = id === null ? null : readingOf(id);
    return found === null || Number.isNaN(found) ? null : found;
  };
  const rows = processes.map((process) => {
    const [memory, sm] = [value(process.memory), value(process.sm)];
    return { process, memory, sm, cpu: value(process.cpu) };
  });
  // What has ended has no values any more. The kernel lives on when it leaves a GPU.
  const living = rows.filter(({ process, memory, sm, cpu }) => {
    if (memory !== null || sm !== null || (cpu !== null && !process.kernel)) return true;
    return process.others.some((id) => value(id) !== null);
  });
  const several = ({ process }: ProcessRow) => Number(process.pid === "");
  const held = ({ memory }: ProcessRow) => memory ?? -1;
  return living.sort((a, b) => several(a) - several(b) || held(b) - held(a));
}

interface Column {
  readonly title: string;
  readonly help: string;
  readonly number: boolean;
  text(row: ProcessRow): string;
}

const COLUMNS: readonly Column[] = [
  { title: "PID", help: "Process number", number: true, text: ({ process }) => process.pid },
  { title: "GPU", help: "GPU it uses", number: false, text: ({ process }) => process.gpu },
  {
    title: "GPU memory",
    help: "Device memory it holds on that GPU",
    number: true,
    text: ({ memory }) => formatValue(memory, "B"),
  },
  {
    title: "SM",
    help: "Share of time in which its kernels ran on that GPU",
    number: true,
    text: ({ sm }) => formatValue(sm, "1"),
  },
  {
    title: "CPU",
    help: "Processor time it uses; of the kernel with its children",
    number: true,
    text: ({ cpu }) => formatValue(cpu, "cores"),
  },
];

interface Row {
  readonly el: HTMLTableRowElement;
  readonly name: HTMLElement;
  readonly mine: HTMLElement;
  readonly cells: readonly HTMLElement[];
}

export class ProcessTable implements View {
  readonly el: HTMLElement;
  readonly byStep = false;
  seen = false;
  stale = true;
  #panel: Panel;
  readonly #when = h("span", { class: "pulse-whose" });
  readonly #body = h("tbody");
  readonly #table: HTMLTableElement;
  readonly #none = h("p", { class: "pulse-detail", hidden: true });
  readonly #more = h("button", { type: "button", class: "pulse-more", hidden: true });
  readonly #rows: Row[] = [];
  #all = false;
  #shown: readonly ProcessRow[] = [];

  constructor(panel: Panel) {
    this.#panel = panel;
    this.#table = h("table", { class: "pulse-table" }, caption(), headOf(), this.#body);
    this.#more.addEventListener("click", () => {
      this.#all = !this.#all;
      this.#write();
    });
    const title = h("h4", { title: panel.help }, panel.title);
    this.el = h(
      "section",
      { class: "pulse-chart pulse-processes", role: "group", "aria-label": panel.title },
      h("header", {}, title, this.#when),
      this.#table,
      this.#none,
      this.#more,
    );
    this.el.dataset["panel"] = panel.key;
  }

  draw(): void {
    this.stale = false;
  }

  point(x: number | null, scene: Scene): void {
    const { source, still, range } = scene;
    const wanted = x ?? (still ? range[1] : null);
    const at = source.at ? wanted : null;
    this.#shown = processRows(this.#panel.processes ?? [], (id) => {
      const found = at === null ? source.last(id) : source.at?.(id, at);
      return found?.value ?? null;
    });
    setText(this.#when, at === null ? "" : momentText(at, range[1] - range[0]));
    setText(this.#none, at === null ? "No process uses a GPU." : "No process used a GPU then.");
    this.#write();
  }

  /** The table on screen is the text twin. */
  describe(): void {
    const count = this.#shown.length;
    setAttribute(this.el, "aria-label", `${this.#panel.title}: ${count} shown as a table`);
  }

  /** Processes come and go while their table is open, and a finger is on its button. */
  take(panel: Panel): void {
    this.#panel = panel;
    this.stale = true;
  }

  setTheme(): void {}

  resize(): void {}

  destroy(): void {
    this.el.remove();
  }

  #write(): void {
    const rows = this.#all ? this.#shown : this.#shown.slice(0, MOST_ROWS);
    while (this.#rows.length < rows.length) this.#rows.push(emptyRow());
    for (const [i, row] of rows.entries()) writeRow(this.#rows[i] as Row, row);
    const wanted = this.#rows.slice(0, rows.length).map(({ el }) => el);
    if (this.#body.childElementCount !== wanted.length) this.#body.replaceChildren(...wanted);
    this.#table.hidden = rows.length === 0;
    this.#none.hidden = rows.length > 0;
    const more = this.#shown.length - MOST_ROWS;
    this.#more.hidden = more <= 0;
    setText(this.#more, this.#all ? "Show fewer" : `and ${more} more`);
    setAttribute(this.#more, "aria-expanded", String(this.#all));
  }
}

function caption(): HTMLElement {
  const text = "Processes that use a GPU, the one that holds most memory first";
  return h("caption", {}, h("span", { class: "pulse-sr" }, text));
}

function headOf(): HTMLElement {
  const cells = COLUMNS.map(({ title, help, number }) => {
    return h(
      "th",
      { scope: "col", title: help, ...(number ? { class: "pulse-number" } : {}) },
      title,
    );
  });
  return h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Command"), ...cells));
}

function emptyRow(): Row {
  const name = h("span", { class: "pulse-name" });
  const mine = h("span", { class: "pulse-mine", hidden: true }, "this kernel");
  const cells = COLUMNS.map(({ number }) => h("td", number ? { class: "pulse-number" } : {}));
  const head = h("th", { scope: "row" }, h("div", {}, name, mine));
  return { el: h("tr", {}, head, ...cells), name, mine, cells };
}

function writeRow({ name, mine, cells }: Row, row: ProcessRow): void {
  const { process } = row;
  const called = process.name || MISSING;
  setText(name, called);
  setAttribute(name, "title", called);
  mine.hidden = !process.kernel;
  for (const [i, column] of COLUMNS.entries())
    setText(cells[i] as Node, column.text(row) || MISSING);
}
