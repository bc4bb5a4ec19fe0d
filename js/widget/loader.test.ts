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
    await drawn;

    expect(el.textContent).toBe("over of abc");
    expect(blob).toHaveBeenCalledExactlyOnceWith([CODE], { type: "text/javascript" });
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
