/** Entry of the development page: `?scenario=eight&theme=dark&layout=dashboard&width=900`. */

import { mountDashboard } from "../core/dashboard/dashboard";
import { FakeSource } from "./fake-source";
import { storeFrom, storeOf } from "./fake-store";
import { type Given, GivenSource } from "./given-source";
import { SCENARIOS } from "./scenarios";

const query = new URLSearchParams(location.search);
const scenario = SCENARIOS[query.get("scenario") ?? "one"];
if (!scenario) throw new Error(`scenarios: ${Object.keys(SCENARIOS).join(", ")}`);
document.body.dataset["jpThemeLight"] = String(query.get("theme") !== "dark");

const host = document.createElement("div");
const width = query.get("width");
if (width) host.style.width = `${width}px`;
document.body.append(host);

const layouts = ["dashboard", "strip", "charts"] as const;
const layout = layouts.find((name) => name === query.get("layout")) ?? "dashboard";
const fake = new FakeSource(scenario);
/** A test may hand over samples of its own before the page loads, or a kernel's packets. */
const { pulseGiven, pulsePackets } = globalThis as {
  pulseGiven?: readonly Given[];
  pulsePackets?: readonly string[];
};
const shown = pulseGiven ? new GivenSource(pulseGiven, fake.state()) : fake;
/** `via=store`: the same data through packets and the real store. */
const viaStore = query.get("via") === "store" ? storeOf(shown) : shown;
const source = pulsePackets ? storeFrom(pulsePackets) : viaStore;
const started = performance.now();
const unmount = mountDashboard(host, source, {
  layout,
  metrics: query.get("metrics")?.split(",") ?? null,
  title: query.get("title") ?? "",
  page: location.pathname,
  actions: (query.get("actions")?.split(",") ?? []).map((label) => ({
    label,
    title: `${label}, as a host may offer it`,
    run: () => console.info(label),
  })),
});

/** For the scripts that look at and measure the page. */
Object.assign(globalThis, { pulseDev: { source: fake, unmount, started } });

const hz = Number(query.get("play") ?? 0);
if (hz > 0) setInterval(() => fake.advance(), 1000 / hz);
