/** An output pane on a page whose kernel prints what a test wants. */

import { OutputPane, type OutputView } from "../dashboard/output-pane";
import { ROW_PX } from "../dashboard/printed-list";
import { arrivalOf, type Channel, type Listener, type Request } from "../history/channel";
import { LiveStore } from "../history/live-store";
import { encodePacket, frameOf } from "./packets";

export const HEIGHT = 10 * ROW_PX;
const about = { host: "h0", entity: "kernel", unit: "", kind: "text", labels: {} };
export const OUT = { ...about, id: 0, metric: "log.stdout" };
export const ERR = { ...about, id: 1, metric: "log.stderr" };

type Line = { series: number; time: number; text: string };

/** A kernel that has printed some lines, and answers when a test lets it. */
export class Kernel implements Channel {
  readonly closed = false;
  readonly asked: Request[] = [];
  printed: Line[] = [];
  /** So many of the newest lines it has still. */
  keeps = Number.POSITIVE_INFINITY;
  #listener: Listener | null = null;
  #seq = 0;

  subscribe(listener: Listener): () => void {
    this.#listener = listener;
    return () => undefined;
  }

  send(request: Request): boolean {
    this.asked.push(request);
    return true;
  }

  says(news: Record<string, unknown>): void {
    this.#listener?.hear(frameOf(++this.#seq, [], news));
  }

  /** Print lines, which a page sees that asked for them. */
  prints(...lines: Line[]): void {
    this.printed.push(...lines);
    this.says({ lines });
  }

  get waiting(): Extract<Request, { kind: "printed" }>[] {
    return this.asked.filter((one) => one.kind === "printed");
  }

  /** Answer the request that came last; returns whether there was one that is not answered. */
  answers(): boolean {
    const asked = this.waiting.at(-1);
    if (!asked || asked.request === this.#answered) return false;
    this.#answered = asked.request;
    const { request, t0, t1, most } = asked;
    const all = this.printed.filter(({ time }) => time >= t0 && time <= t1);
    const kept = this.printed.at(-this.keeps)?.time ?? Number.NEGATIVE_INFINITY;
    const lines = all.slice(-most).filter(({ time }) => time >= kept);
    const more = lines.length < all.length;
    this.#listener?.hear(arrivalOf(encodePacket({ kind: "lines", request, t0, t1, lines, more })));
    return true;
  }

  #answered = 0;

  get switches(): boolean[] {
    const all = this.asked.flatMap((one) => (one.kind === "lines" ? [one.on] : []));
    return all.filter((on, i) => on !== all[i - 1]);
  }
}

export class Sight {
  static tell: (isIntersecting: boolean) => void = () => undefined;
  constructor(told: (entries: unknown[]) => void) {
    Sight.tell = (isIntersecting) => told([{ isIntersecting }]);
  }
  observe(): void {}
  disconnect(): void {}
}

export const lines = (count: number, from = 0, series = 0): Line[] =>
  Array.from({ length: count }, (_, i) => ({
    series,
    time: 1 + from + i,
    text: `line ${from + i}`,
  }));

/** Takes away what was mounted last. */
export const mounted = { clean: (): void => {} };

export function shown(some: Line[] = [], options: { series?: object[]; entities?: object[] } = {}) {
  const kernel = new Kernel();
  const store = new LiveStore(kernel);
  kernel.printed = some;
  const { series = [OUT, ERR], entities = [] } = options;
  kernel.says({ series, entities, state: { phase: "running", t0: 1 } });
  const [opened, cursors] = [[] as boolean[], [] as (number | null)[]];
  const pane = new OutputPane(store, {
    dispatch: (action) => opened.push(action.type === "open" && action.open),
    cursor: (time) => {
      cursors.push(time);
      pane.point(time);
    },
  });
  document.body.append(pane.el);
  let view: OutputView = { open: true, range: [0, Infinity], isPart: false };
  const draw = (change: Partial<OutputView> = {}) => {
    view = { ...view, ...change };
    pane.draw(view);
  };
  store.subscribe(({ series, entities }) => {
    if (series || entities) pane.know();
    draw();
  });
  pane.know();
  mounted.clean = () => pane.destroy();
  const find = (query: string) => pane.el.querySelector<HTMLElement>(query) as HTMLElement;
  const list = find(".pulse-out-list");
  let top = 0;
  Object.defineProperty(list, "scrollTop", {
    // What is hidden has no place that it was scrolled to.
    get: () => (list.hidden ? 0 : top),
    set: (to: number) => {
      if (!list.hidden) top = to;
    },
  });
  const input = find("input") as HTMLInputElement;
  return {
    kernel,
    store,
    pane,
    draw,
    opened,
    cursors,
    find,
    list,
    /** Let the kernel answer until nothing more is asked. */
    settle: () => {
      for (let i = 0; i < 200 && kernel.answers(); i++) draw();
    },
    rows: () => [...pane.el.querySelectorAll<HTMLElement>(".pulse-out-row")],
    texts: () => [...pane.el.querySelectorAll(".pulse-out-text")].map((el) => el.textContent),
    marked: () => pane.el.querySelector(".pulse-out-at .pulse-out-text")?.textContent ?? null,
    note: () => find(".pulse-note").textContent,
    said: () => (find(".pulse-out-say").hidden ? "" : find(".pulse-out-say").textContent),
    count: () => find(".pulse-out-tools .pulse-detail").textContent,
    scroll: (top: number) => {
      list.scrollTop = top;
      list.dispatchEvent(new Event("scroll"));
    },
    type: (text: string) => {
      input.value = text;
      input.dispatchEvent(new Event("input"));
    },
    press: (key: string, shiftKey = false) => {
      input.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey, bubbles: true }));
    },
    current: () => pane.el.querySelector(".pulse-out-hit .pulse-out-text")?.textContent ?? null,
  };
}

/** Open, in sight, and with everything that was asked for. */
export function opened(some: Line[] = [], options = {}) {
  const page = shown(some, options);
  page.draw();
  Sight.tell(true);
  page.settle();
  return page;
}
