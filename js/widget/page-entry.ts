/**
 * The script of an exported page: one file, no network, no module loader. The page holds
 *
 *   <div id="pulse">what a reader without scripts sees</div>
 *   <script type="text/plain" id="pulse-data">packets, one after another, gzip, base64</script>
 *
 * A keyframe first, then `rows` packets with the detail.
 */

import { mountDashboard } from "../core/dashboard";
import { SavedStore } from "../core/saved";
import { splitPackets } from "../core/wire";

/** Draw the packets of `data` into `el`, in the place of what stands there. */
export async function drawPage(el: HTMLElement, data: string): Promise<void> {
  const store = new SavedStore();
  for (const packet of splitPackets(await unzip(fromBase64(data)))) store.receive(packet);
  el.replaceChildren();
  mountDashboard(el, store, { layout: "dashboard", metrics: null, title: "" });
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

async function unzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const el = globalThis.document?.getElementById("pulse");
const data = globalThis.document?.getElementById("pulse-data")?.textContent;
if (el && data) {
  drawPage(el, data.trim()).catch((problem: unknown) => {
    // The picture that stands in the page already is better than nothing.
    console.error("Pulse: this page could not be drawn", problem);
  });
}
