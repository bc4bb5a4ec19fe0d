import { expect, test } from "vitest";
import { placeText, tickText, valueTick } from "./place-text";

test.each([
  [0, "0"],
  [2.5, "2.5"],
  [1200, "1200"],
  [250_000, "250\u202f000"],
  [1e6, "1M"],
  [12_500_000, "12.5M"],
  [-3e6, "-3M"],
  [999e6, "999M"],
  [2e9, "2e+9"],
])("a tick at %d is %j", (place, text) => expect(tickText(place)).toBe(text));

test.each([
  [12.4, 700, undefined, "step 12"],
  [4.1812, 7, "epoch", "epoch 4.18"],
  [0.30412, 0.2, "lr", "lr 0.304"],
  [27_394_048.4, 4.5e7, "tokens", "tokens 27\u202f394\u202f048"],
])("the cursor at %d of %d over %j says %j", (x, wide, along, text) => {
  expect(placeText(x, wide, along)).toBe(text);
});

test("ticks have units of the catalog, and none of the user's own", () => {
  expect(valueTick(0.5, "1")).toBe("50 %");
  expect(valueTick(2048, "B")).toBe("2 KiB");
  expect(valueTick(950, "samples/s")).toBe("950");
  expect(valueTick(25e6, "")).toBe("25M");
});
