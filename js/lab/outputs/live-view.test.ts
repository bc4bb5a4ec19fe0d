// @vitest-environment happy-dom
import type { KernelMessage } from "@jupyterlab/services";
import { describe, expect, test } from "vitest";
import { packetOf } from "../kernel/kernel-channel";
import { outcomeOf } from "./live-view";

const packet = new ArrayBuffer(8);

function message(content: unknown, type = "comm_msg"): KernelMessage.IIOPubMessage {
  const whole = { header: { msg_type: type }, content, buffers: [packet] };
  return whole as unknown as KernelMessage.IIOPubMessage;
}

describe("packetOf", () => {
  test("finds the packet of its own feed and of nothing else", () => {
    const data = { method: "custom", content: { kind: "packet" } };

    expect(packetOf(message({ comm_id: "a", data }), "a")).toBe(packet);
    expect(packetOf(message({ comm_id: "b", data }), "a")).toBeNull();
    expect(packetOf(message({ comm_id: "a", data: { method: "update" } }), "a")).toBeNull();
    expect(packetOf(message({ comm_id: "a", data }, "stream"), "a")).toBeNull();
  });
});

describe("outcomeOf", () => {
  test.each([
    ["", "later"],
    ["Loading widget...", "later"],
    ["Pulse: loading", "later"],
    ["Error displaying widget: model not found", "gone"],
    ["Pulse cannot reach this kernel's feed: Error. Run the cell again.", "gone"],
    ['<div class="pulse"></div>', "live"],
  ])("reads %j as %s", (html, outcome) => {
    const node = document.createElement("div");
    node.innerHTML = html;

    expect(outcomeOf(node)).toBe(outcome);
  });
});
