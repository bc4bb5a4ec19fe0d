/**
 * The only code that every Monitor carries; it must stay under 1 kB built.
 *
 * anywidget evaluates the ESM of each model separately, so the dashboard travels once, in
 * `Feed.code`, and this loader imports it once per page.
 */
import type { AnyModel } from "@anywidget/types";
import type { DashboardModule } from "./dashboard-entry";

type Page = Record<symbol, Map<unknown, Promise<DashboardModule>> | undefined>;

/** So many tries are ten seconds. */
const TRIES = 40;
const PAUSE_MS = 250;
const CODE = Symbol.for("pulse_widgets.code");
const page = globalThis as unknown as Page;
page[CODE] ??= new Map();
/** By the hash of their code. An import is here only once its code is at hand, so it ends. */
const modules = page[CODE];

function run(code: string): Promise<DashboardModule> {
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  return import(url).finally(() => URL.revokeObjectURL(url));
}

/**
 * Draw once the feed and the code are there.
 *
 * The feed's model may be created after ours, so its absence is not an error at first. The model
 * of a session that is over has no code any more, but its kernel gives it to who asks: late when
 * it is busy, and never when it is gone. Another feed may bring the same code meanwhile. So this
 * looks again and again, as long as the view is there.
 */
async function draw(model: AnyModel, el: HTMLElement, signal?: AbortSignal) {
  const id = String(model.get("feed")).replace(/^(IPY_MODEL_|anywidget:)/, "");
  let feed: AnyModel | undefined;
  let code: string | undefined;
  for (let n = 1; !signal?.aborted; n++) {
    try {
      feed ??= (await model.widget_manager.get_model(id)) as AnyModel;
    } catch (problem) {
      if (n >= TRIES) throw problem;
    }
    if (feed) {
      const hash = feed.get("code_hash");
      const text = feed.get("code") || code;
      let module = modules.get(hash);
      if (text && !module) {
        module = run(text);
        // A failed import must not be remembered, or no later cell could recover.
        module.catch(() => modules.delete(hash));
        modules.set(hash, module);
      }
      if (module) return (await module).render({ model, feed, id, el });
      if (code == null) {
        code = "";
        feed.on("msg:custom", (said: { code?: string }) => {
          code ||= said.code;
        });
        feed.send({ kind: "code" });
      }
      if (n === TRIES)
        el.textContent = "This view has ended, or its kernel is busy. Run the cell again.";
    }
    await new Promise((done) => setTimeout(done, PAUSE_MS));
  }
}

export default {
  async render({ model, el, signal }: { model: AnyModel; el: HTMLElement; signal?: AbortSignal }) {
    el.textContent = "Pulse: loading";
    try {
      return await draw(model, el, signal);
    } catch (problem) {
      el.textContent = `Pulse cannot reach this kernel's feed: ${problem}. Run the cell again.`;
    }
  },
};
