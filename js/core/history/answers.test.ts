import { expect, test } from "vitest";
import { Answers } from "./answers";

test("however many stretches are open, none is forgotten", () => {
  const answers = new Answers();
  for (let i = 0; i < 1000; i++) answers.open(2 * i, 2 * i + 1);

  for (let i = 0; i < 1000; i++) {
    expect(answers.incomplete(2 * i, 2 * i + 1, 1, false)).toBe(true);
  }
});

test("however much was answered, a thin answer is not taken for a whole one", () => {
  const answers = new Answers();
  answers.add({ t0: 0, t1: 1, density: 0.1 });
  for (let i = 1; i < 1000; i++) answers.add({ t0: i, t1: i + 1, density: Infinity });

  expect(answers.incomplete(0, 1, 1, false)).toBe(true);
  expect(answers.incomplete(999, 1000, 1, true)).toBe(false);
});

test("remembers where frames were thinned however long that goes on", () => {
  const answers = new Answers();
  for (let i = 0; i < 1000; i++) answers.thin({ t0: i, t1: i + 0.9, density: 50 + (i % 2) });

  expect(answers.incomplete(2.2, 2.8, 100, false)).toBe(true);
  expect(answers.incomplete(999.2, 999.8, 100, false)).toBe(true);
  expect(answers.incomplete(2.2, 2.8, 50, false)).toBe(false);
  expect(answers.incomplete(1001, 1002, 100, false)).toBe(false);
});
