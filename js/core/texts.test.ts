import { expect, test } from "vitest";
import { entityClass, entityLabel } from "./entities";
import { readingText, spanText } from "./reading-text";
import { axisTimes, elapsedText } from "./time-text";

test("entities are called what people call them", () => {
  expect(entityLabel("gpu:0/mig:1")).toBe("GPU 0 · MIG 1");
  expect(entityLabel("cpu:3")).toBe("core 3");
  expect(entityLabel("net:eth0")).toBe("eth0");
  expect(entityLabel("fs:/data/a")).toBe("/data/a");
  expect(entityLabel("pid:4711/gpu:0", { name: "python" })).toBe("python (4711) · GPU 0");
  expect(entityLabel('{code="500",method="get"}')).toBe("code=500,method=get");
});

test.each([
  ["npu:0", {}, "npu 0"],
  ["npu:0", { group: "My NPUs" }, "NPU 0"],
  ["Npu:0", { group: "NPU, NPUs" }, "NPU 0"],
  ["ups:1", { group: "Upstairs" }, "ups 1"],
  ["ups:rack-a", { group: "UPS" }, "rack-a"],
  ["ups:rack-a", { name: "rack-a" }, "rack-a"],
  ["npu:0", { name: " Model X " }, "Model X (0)"],
  ["npu:0", { name: "NPU 0" }, "NPU 0"],
  ["npu", { name: "Model X" }, "Model X (npu)"],
  ["npu:a:b", { name: "Model X" }, "Model X (a:b)"],
  ["npu:0/core:1", { name: "Big", group: "npu" }, "npu 0 · Big (1)"],
  ["gpu:0/xcd:1", { group: "XCDs" }, "GPU 0 · XCD 1"],
  ["gpu:0", { name: "NVIDIA H100" }, "GPU 0"],
  ["cpu:3", { group: "CPU" }, "core 3"],
])(
  "an entity that only its reader knows has a name, not a number alone: %s %o",
  (id, labels, said) => {
    expect(entityLabel(id, labels as Record<string, string>)).toBe(said);
  },
);

test("entities of a kind are drawn together", () => {
  expect(["gpu:0", "gpu:0/mig:1", "fs:/data/a", "pid:7/gpu:0"].map(entityClass)).toEqual([
    "gpu",
    "mig",
    "fs",
    "pid",
  ]);
});

test("a bucket with two values says both, with one unit where they share it", () => {
  expect(spanText(0.12, 0.97, "1")).toBe("12–97 %");
  expect(spanText(900 * 1024 ** 2, 1.2 * 1024 ** 3, "B")).toBe("900 MiB – 1.2 GiB");
  expect(spanText(0.5, 0.5, "1")).toBe("50 %");
  expect(spanText(-3, -1, "degC")).toBe("-3 °C – -1 °C");
});

test("a missing reading is a dash, never a number", () => {
  expect(readingText(null, "W")).toBe("–");
  expect(readingText({ time: 0, min: null, max: null }, "W")).toBe("–");
});

test("running times grow from seconds to hours", () => {
  expect([7, 754, 10_929].map(elapsedText)).toEqual(["0:07", "12:34", "3:02:09"]);
});

test("axis labels are as fine as their step", () => {
  const noon = new Date(2026, 4, 12, 12, 30, 5, 250).getTime() / 1000;
  expect(axisTimes([noon], 0.05)[0]).toMatch(/^12:30:05[.,]250$/);
  expect(axisTimes([noon], 5)).toEqual(["12:30:05"]);
  expect(axisTimes([noon], 600)).toEqual(["12:30"]);
});
