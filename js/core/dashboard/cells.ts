/** The cells, spans and marks of a source, which of them is pointed at, and what choosing one does. */

import { type Mark, marksOf } from "../charts/marks";
import type { Source } from "../source";
import { type AxisRange, having, roomy } from "../vocabulary/axis-range";
import { goToCell, hearStretches } from "./cell-links";

interface Ways {
  readonly root: () => HTMLElement;
  /** The range in view. */
  readonly range: () => AxisRange;
  show(range: AxisRange): void;
  redraw(): void;
}

export class Cells {
  /** The stretch that is pointed at on the timeline. */
  band: AxisRange | null = null;
  readonly #source: Source;
  readonly #ways: Ways;
  #marks: readonly Mark[] | null = null;

  constructor(source: Source, ways: Ways) {
    this.#source = source;
    this.#ways = ways;
  }

  /** Made when they are asked for: they may come one by one. */
  get marks(): readonly Mark[] {
    this.#marks ??= marksOf(this.#source);
    return this.#marks;
  }

  /** There are others. */
  forget(): void {
    this.#marks = null;
  }

  lift(band: AxisRange | null): void {
    if (String(band) === String(this.band)) return;
    this.band = band;
    this.#ways.redraw();
  }

  /** The keyboard has come to a stretch: it is lifted, and in view. */
  look(band: AxisRange | null): void {
    this.lift(band);
    const range = this.#ways.range();
    const next = band ? having(range, band) : range;
    if (String(next) !== String(range)) this.#ways.show(next);
  }

  /** Zoom to a stretch; where it is of a cell, the notebook may go to that. */
  choose(stretch: AxisRange, span: Mark | null): void {
    this.#ways.show(roomy(stretch));
    if (span) goToCell(this.#ways.root(), span);
  }

  /** Follow what others on the page ask to see; the result stops that. */
  hear(): () => void {
    const know = () => ({ source: this.#source, marks: this.marks });
    return hearStretches(this.#ways.root(), know, (stretch) => this.#ways.show(roomy(stretch)));
  }
}
