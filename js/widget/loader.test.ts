// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import loader from "./loader";
import { FakeModel } from "./testing";

const CODE = `
globalThis.imports = (globalThis.imports ?? 0) + 1;
export const render = ({ el, id, model }) => { el.textContent = model.get("title") + " of " + id; };
`;

beforeEach(() => {
  vi.useFakeTimers();
  // Node imports no blob: addresses, a browser does.
  vi.spyOn(URL, "createObjectURL").mockReturnValue(
    `data:text/javascript,${encodeURIComponent(CODE)}`,
  );
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function monitor(title: string, models: Map<string, FakeModel>): FakeModel {
  return new FakeModel({ feed: "IPY_MODEL_abc", title }, models);
}

/** Begin to draw a view of a feed. */
function draw(feed: FakeModel, signal?: AbortSignal): HTMLElement {
  const el = document.createElement("div");
  const model = monitor("drawn", new Map([["abc", feed]])).asModel();
  void loader.render({ model, el, ...(signal && { signal }) });
  return el;
}

/** The page has not imported the code of this hash yet. */
function forget(hash: string): void {
  const page = globalThis as unknown as Record<symbol, Map<unknown, unknown>>;
  page[Symbol.for("pulse_widgets.code")]?.delete(hash);
}

describe("loader", () => {
  test("draws every view with the feed's code, imported once", async () => {
    const feed = new FeedWithCode();
    const models = new Map<string, FakeModel>([["abc", feed]]);
    const [one, two] = [document.createElement("div"), document.createElement("div")];

    await loader.render({ model: monitor("one", models).asModel(), el: one });
    await loader.render({ model: monitor("two", models).asModel(), el: two });

    expect([one.textContent, two.textContent]).toEqual(["one of abc", "two of abc"]);
    expect((globalThis as { imports?: number }).imports).toBe(1);
  });

  test("waits for a feed that is made after the view", async () => {
    const models = new Map<string, FakeModel>();
    const el = document.createElement("div");

    const drawn = loader.render({ model: monitor("late", models).asModel(), el });
    await vi.advanceTimersByTimeAsync(1000);
    expect(el.textContent).toBe("Pulse: loading");
    models.set("abc", new FeedWithCode());
    await vi.advanceTimersByTimeAsync(1000);
    await drawn;

    expect(el.textContent).toBe("late of abc");
  });

  test("asks for the code that the model of an ended session does not have any more", async () => {
    const feed = new FakeModel({ code: "", code_hash: "2" });
    const models = new Map<string, FakeModel>([["abc", feed]]);
    const el = document.createElement("div");
    const blob = vi.spyOn(globalThis, "Blob");

    const drawn = loader.render({ model: monitor("over", models).asModel(), el });
    await vi.advanceTimersByTimeAsync(1000);
    expect(feed.sent).toEqual([{ kind: "code" }]);
    expect(el.textContent).toBe("Pulse: loading");
    feed.say({ kind: "packet" });
    feed.say({ kind: "code", code: CODE });
    await vi.advanceTimersByTimeAsync(1000);
    await drawn;

    expect(el.textContent).toBe("over of abc");
    expect(blob).toHaveBeenCalledExactlyOnceWith([CODE], { type: "text/javascript" });
  });

  test.each([
    ["its kernel answers late", (feed: FakeModel) => feed.say({ kind: "code", code: CODE })],
    ["its model gets the code", (feed: FakeModel) => feed.change("code", CODE)],
    ["another feed brings it", () => void draw(new FakeModel({ code: CODE, code_hash: "late" }))],
  ])("says that a view is over when nobody answers, and draws it once %s", async (_, come) => {
    forget("late");
    const feed = new FakeModel({ code: "", code_hash: "late" });
    const el = draw(feed);

    await vi.advanceTimersByTimeAsync(9000);
    expect(el.textContent).toBe("Pulse: loading");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(el.textContent).toBe("This view has ended, or its kernel is busy. Run the cell again.");
    expect(feed.sent).toEqual([{ kind: "code" }]);
    come(feed);

    await vi.waitFor(() => expect(el.textContent).toBe("drawn of abc"));
  });

  test.each([1, 3])("draws a live feed at once beside %d ended ones", async (count) => {
    forget("same");
    const ended = Array.from({ length: count }, () =>
      draw(new FakeModel({ code: "", code_hash: "same" })),
    );
    await vi.advanceTimersByTimeAsync(1000);

    const live = draw(new FakeModel({ code: CODE, code_hash: "same" }));

    for (const el of [live, ...ended]) {
      await vi.waitFor(() => expect(el.textContent).toBe("drawn of abc"));
    }
  });

  test("asks no more, and draws nothing, once the view is taken away", async () => {
    forget("away");
    const feed = new FakeModel({ code: "", code_hash: "away" });
    const away = new AbortController();
    const el = draw(feed, away.signal);
    await vi.advanceTimersByTimeAsync(1000);

    away.abort();
    feed.change("code", CODE);
    await vi.advanceTimersByTimeAsync(60_000);

    expect(el.textContent).toBe("Pulse: loading");
    expect(vi.getTimerCount()).toBe(0);
  });

  test("imports again after an import that failed", async () => {
    forget("bad");
    const bad = vi.spyOn(URL, "createObjectURL").mockReturnValueOnce("data:text/javascript,)");
    const feed = new FakeModel({ code: CODE, code_hash: "bad" });
    // Node reads the module outside of these timers.
    vi.useRealTimers();

    const [first, second] = [document.createElement("div"), document.createElement("div")];
    const models = new Map([["abc", feed]]);
    await loader.render({ model: monitor("drawn", models).asModel(), el: first });
    await loader.render({ model: monitor("drawn", models).asModel(), el: second });

    expect(first.textContent).toMatch(/^Pulse cannot reach this kernel's feed: SyntaxError/);
    expect(second.textContent).toBe("drawn of abc");
    expect(bad).toHaveBeenCalledTimes(2);
  });

  test("says so when the kernel that has the code is gone", async () => {
    const feed = new FakeModel({ code: "", code_hash: "3" });
    vi.spyOn(feed, "send").mockImplementation(() => {
      throw new Error("the comm is closed");
    });
    const el = document.createElement("div");

    const models = new Map<string, FakeModel>([["abc", feed]]);
    await loader.render({ model: monitor("gone", models).asModel(), el });

    expect(el.textContent).toMatch(/^Pulse cannot reach this kernel's feed: .*comm is closed/);
  });

  test("says what to do when there is no feed", async () => {
    const el = document.createElement("div");

    const drawn = loader.render({ model: monitor("lost", new Map()).asModel(), el });
    await vi.advanceTimersByTimeAsync(60_000);
    await drawn;

    expect(el.textContent).toMatch(
      /^Pulse cannot reach this kernel's feed: .*not found\. Run the cell again\.$/,
    );
  });
});

class FeedWithCode extends FakeModel {
  constructor() {
    super({ code: CODE, code_hash: "1" });
  }
}
