import { Signal } from "@lumino/signaling";
import { expect, test, vi } from "vitest";
import type { Movable } from "../../core/sidebar";
import type { IMonitors } from "../shared/monitors";
import { Moved } from "./moved";

const VIEW: Movable = { feed: "f", layout: "charts", metrics: ["loss"], title: "" };

class FakeMonitors {
  readonly changed: Signal<unknown, void> = new Signal<unknown, void>(this);
  chosen: string | null = "other";
  feed: string | null = "f";
  session = "active";

  get followed(): object {
    const status = { session: { feed: this.feed } };
    return { session: this.chosen ?? this.session, status };
  }

  choose(session: string | null): void {
    this.chosen = session;
    this.changed.emit();
  }

  turn(what: { feed?: string | null; session?: string }): void {
    Object.assign(this, what);
    this.changed.emit();
  }
}

function made() {
  const monitors = new FakeMonitors();
  const reveal = vi.fn();
  const moved = new Moved(monitors as unknown as IMonitors, reveal);
  const changed = vi.fn();
  const leave = moved.subscribe(changed);
  return { monitors, moved, reveal, changed, leave };
}

test("a view that moves brings the panel to the front, and its own notebook", () => {
  const { monitors, moved, reveal, changed } = made();

  moved.take(VIEW);

  expect(monitors.chosen).toBeNull();
  expect([moved.feed, moved.shown]).toEqual(["f", VIEW]);
  expect([reveal, changed].map(({ mock }) => mock.calls.length)).toEqual([1, 1]);
});

test("it is shown again with its own notebook, and moves nowhere by that", () => {
  const { monitors, moved, reveal, changed } = made();
  moved.reveal();
  expect(monitors.chosen).toBe("other");
  moved.take(VIEW);
  monitors.choose("second");
  expect(moved.shown).toBeNull();

  moved.reveal();

  expect(moved.shown).toEqual(VIEW);
  expect(reveal).toHaveBeenCalledTimes(3);
  expect(changed).toHaveBeenCalledTimes(1);
});

test("it returns when it is asked to, once", () => {
  const { moved, changed, leave } = made();
  moved.take(VIEW);

  moved.giveBack();
  moved.giveBack();
  expect([moved.feed, moved.shown, changed.mock.calls.length]).toEqual([null, null, 2]);
  leave();
  moved.take(VIEW);

  expect(changed).toHaveBeenCalledTimes(2);
});

test("it stays moved while another notebook is followed, and is not shown then", () => {
  const { monitors, moved } = made();
  moved.take(VIEW);

  monitors.turn({ session: "second", feed: "g" });
  expect([moved.feed, moved.shown]).toEqual(["f", null]);
  monitors.turn({ session: "active", feed: "f" });

  expect(moved.shown).toEqual(VIEW);
});

test("it returns by itself when its kernel shows another session", () => {
  const { monitors, moved } = made();
  moved.take(VIEW);

  monitors.turn({ feed: null });
  expect(moved.feed).toBe("f");
  monitors.turn({ feed: "g" });

  expect(moved.feed).toBeNull();
});
