/**
 * The only code that every Monitor carries; it must stay under 1 kB built.
 *
 * anywidget evaluates the ESM of each model separately, so the dashboard travels once, in
 * `Feed.code`, and this loader imports it once per page.
 */
import type { AnyModel } from "@anywidget/types";
import type { DashboardModule } from "./dashboard-entry";

type Page = Record<symbol, Map<unknown, Promise<DashboardModule>> | undefined>;

const CODE = Symbol.for("pulse_widgets.code");
const TRIES = 20;
const PAUSE_MS = 300;

const page = globalThis as unknown as Page;
page[CODE] ??= new Map();
const modules = page[CODE];

/** The model of a session that is over has no code any more, but its kernel gives it to who asks. */
function codeOf(feed: AnyModel): Promise<string> {
  return new Promise((done) => {
    const code = feed.get("code");
    if (code) return done(code);
    feed.on("msg:custom", (said: { code?: string }) => said.code && done(said.code));
    feed.send({ kind: "code" });
  });
}

async function run(feed: AnyModel): Promise<DashboardModule> {
  const url = URL.createObjectURL(new Blob([await codeOf(feed)], { type: "text/javascript" }));
  return import(url).finally(() => URL.revokeObjectURL(url));
}

function load(feed: AnyModel): Promise<DashboardModule> {
  const hash = feed.get("code_hash");
  let code = modules.get(hash);
  if (!code) {
    code = run(feed);
    // A failed import must not be remembered, or no later cell could recover.
    code.catch(() => modules.delete(hash));
    modules.set(hash, code);
  }
  return code;
}

/** The feed's model may be created after ours, so its absence is not an error at first. */
async function find(model: AnyModel, id: string, signal?: AbortSignal): Promise<AnyModel> {
  for (let n = 1; ; n++)
    try {
      return (await model.widget_manager.get_model(id)) as AnyModel;
    } catch (problem) {
      if (n >= TRIES || signal?.aborted) throw problem;
      await new Promise((done) => setTimeout(done, PAUSE_MS));
    }
}

export default {
  async render({ model, el, signal }: { model: AnyModel; el: HTMLElement; signal?: AbortSignal }) {
    try {
      const id = String(model.get("feed")).replace(/^(IPY_MODEL_|anywidget:)/, "");
      el.textContent = "Pulse: loading";
      const feed = await find(model, id, signal);
      return (await load(feed)).render({ model, feed, id, el, signal });
    } catch (problem) {
      el.textContent = `Pulse cannot reach this kernel's feed: ${problem}. Run the cell again.`;
    }
  },
};
