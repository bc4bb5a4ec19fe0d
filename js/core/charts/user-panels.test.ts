import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SeriesWire } from "../source";
import { MOST_LINES } from "../vocabulary/shared.gen";
import { buildGroups, type Panel } from "./groups";

let next = 0;

function series(metric: string, more: Partial<SeriesWire> = {}): SeriesWire {
  const base = { host: "h0", entity: "user", unit: "", kind: "gauge", labels: {} };
  return { id: next++, metric, ...base, ...more };
}

function panels(catalog: readonly SeriesWire[]): readonly Panel[] {
  return buildGroups(catalog, [], null).find(({ title }) => title === "Your metrics")?.panels ?? [];
}

/** Each chart as its title and the names of its lines, of a lone line none. */
function told(catalog: readonly SeriesWire[]): string[] {
  return panels(catalog).map(({ title, lines }) => {
    return lines.length > 1 ? `${title}: ${lines.map(({ label }) => label).join(" ")}` : title;
  });
}

const EXAMPLES: readonly (readonly [who: string, names: string, charts: readonly string[]])[] = [
  ["nobody's prefix", "loss lr", ["loss", "lr"]],
  ["wandb, trackio", "train/loss val/loss lr", ["loss: train val", "lr"]],
  [
    "Hugging Face Trainer",
    "train/loss train/grad_norm train/learning_rate eval/loss eval/runtime",
    ["loss: train eval", "train/grad_norm", "train/learning_rate", "eval/runtime"],
  ],
  ["its raw log", "loss learning_rate eval_loss", ["loss: loss eval", "learning_rate"]],
  [
    "TensorBoard's tutorial",
    "Loss/train Loss/test Accuracy/train Accuracy/test",
    ["Loss: train test", "Accuracy: train test"],
  ],
  ["Keras", "loss accuracy val_loss val_accuracy", ["loss: loss val", "accuracy: accuracy val"]],
  [
    "Lightning",
    "train_loss_step train_loss_epoch val_loss_epoch train_acc val_acc test_acc",
    ["train_loss_step", "loss_epoch: train val", "acc: train val test"],
  ],
  [
    "Ultralytics",
    "train/box_loss train/cls_loss val/box_loss val/cls_loss metrics/mAP50(B) lr/pg0 lr/pg1",
    ["box_loss: train val", "cls_loss: train val", "metrics/mAP50(B)", "lr/pg0", "lr/pg1"],
  ],
  [
    "TRL: of two quantities each has its own chosen and rejected",
    "rewards/chosen rewards/rejected logps/chosen logps/rejected",
    ["rewards/chosen", "rewards/rejected", "logps/chosen", "logps/rejected"],
  ],
  [
    "Stable-Baselines3",
    "rollout/ep_rew_mean time/fps train/loss eval/mean_reward",
    ["rollout/ep_rew_mean", "time/fps", "train/loss", "eval/mean_reward"],
  ],
  [
    "RLlib: a mean of what",
    "reward/mean length/mean reward/max length/max",
    ["reward/mean", "length/mean", "reward/max", "length/max"],
  ],
  ["a GAN", "G/loss D/loss", ["loss: G D"]],
  ["folds", "fold0/acc fold1/acc fold2/acc", ["acc: fold0 fold1 fold2"]],
  ["numbers are no quantity", "loss/0 loss/1 acc/0 acc/1", ["loss/0", "loss/1", "acc/0", "acc/1"]],
  [
    "points and hyphens",
    "train.loss val.loss train-f1 val-f1",
    ["loss: train val", "f1: train val"],
  ],
  [
    "points within a module's name",
    "layers.0.weight layers.1.weight",
    ["layers.0.weight", "layers.1.weight"],
  ],
  [
    "parts within a path",
    "rgb/train/loss rgb/val/loss depth/train/loss",
    ["rgb/loss: train val", "depth/train/loss"],
  ],
  ["deep leaves", "train/loss/total val/loss/total", ["loss/total: train val"]],
  [
    "several ways at once",
    "train/loss val/loss Loss/train Loss/val",
    ["loss: train val", "Loss: train val"],
  ],
  [
    "the same twice",
    "train/loss val/loss train_loss val_loss",
    ["loss: train val", "loss: train val"],
  ],
  [
    "a plain one beside the training's",
    "loss train/loss val/loss",
    ["loss", "loss (train, val): train val"],
  ],
  ["other letters", "Train/Loss Val/Loss", ["Loss: Train Val"]],
  ["called as a part", "val val_val test_val", ["val", "val (val, test): val test"]],
  ["slashes at the ends", "/loss train/ a//b", ["/loss", "train/", "a//b"]],
];

describe("names as they are written", () => {
  test.each(EXAMPLES)("%s: %s", (_, names, charts) => {
    expect(told(names.split(" ").map((name) => series(name)))).toEqual(charts);
  });
});

describe("a pair", () => {
  test("has one colour for one part on every chart, whatever came first", () => {
    const names =
      "val/loss train/loss test/acc train/acc G/gap D/gap D/drift G/drift train_f1 test_f1";
    const colors = new Map<string, Set<number>>();
    for (const { lines } of panels(names.split(" ").map((name) => series(name)))) {
      for (const { label, color } of lines) {
        colors.set(label, (colors.get(label) ?? new Set()).add(color));
      }
    }
    expect([...colors.values()].every(({ size }) => size === 1)).toBe(true);
    expect(new Set([...colors.values()].flatMap((own) => [...own])).size).toBe(colors.size);
  });

  test("keeps the colours it has when another part comes", () => {
    const two = ["train/loss", "test/loss"].map((name) => series(name));
    const before = panels(two)[0]?.lines.map(({ label, color }) => [label, color]);
    const after = panels([...two, series("val/loss")])[0]?.lines;
    const left = after?.filter(({ label }) => label !== "val");
    expect(left?.map(({ label, color }) => [label, color])).toEqual(before);
  });

  test("is of one unit and one kind", () => {
    expect(
      told([series("train/time", { unit: "s" }), series("val/time", { unit: "count" })]),
    ).toEqual(["train/time", "val/time"]);
    expect(told([series("train/n"), series("val/n", { kind: "state" })])).toHaveLength(2);
  });

  test("of more lines than can be told apart is a chart each", () => {
    const folds = (count: number) =>
      Array.from({ length: count }, (_, i) => series(`fold${i}/acc`));
    expect(panels(folds(MOST_LINES))).toHaveLength(1);
    expect(panels(folds(MOST_LINES + 1))).toHaveLength(MOST_LINES + 1);
  });

  test("has no percent that nobody spoke of", () => {
    expect(panels([series("train/accuracy"), series("val/accuracy")])[0]).toMatchObject({
      unit: "",
      whole: false,
    });
  });

  test("stands under what its parts are called, a lone one under what it begins with", () => {
    const catalog = ["train/loss", "val/loss", "train/lr", "lr"].map((name) => series(name));
    expect(panels(catalog).map(({ prefix }) => prefix)).toEqual(["train, val", "train", ""]);
  });
});

describe("of several ranks or hosts", () => {
  const ranks = (metric: string) => [0, 1].map((i) => series(metric, { entity: `rank:${i}` }));

  test("the lines are theirs: there is no pair", () => {
    expect(told([...ranks("train/loss"), ...ranks("val/loss")])).toEqual([
      "train/loss, by rank: rank 0 rank 1",
      "val/loss, by rank: rank 0 rank 1",
    ]);
    const hosts = ["h0", "h1"].map((host) => series("train/loss", { host }));
    expect(panels([...hosts, series("val/loss")]).map(({ lines }) => lines.length)).toEqual([2, 1]);
  });

  test("one rank's own is no pair with the user's, nor with another's", () => {
    const catalog = [
      series("train/loss"),
      series("val/loss", { entity: "rank:0" }),
      series("test/loss", { entity: "rank:1" }),
      series("eval/loss", { host: "h1" }),
    ];
    expect(panels(catalog).map(({ lines }) => lines.length)).toEqual([1, 1, 1, 1]);
  });

  test("a pair of one rank says whose it is", () => {
    const own = ["train/loss", "val/loss"].map((name) => series(name, { entity: "rank:1" }));
    expect(told(own)).toEqual(["loss, rank 1: train val"]);
  });
});

test("whatever the names, each series is one line of one chart, and a pair has one owner", () => {
  const word = fc.constantFrom("train", "val", "Test", "loss", "acc", "mean", "0", "", "x");
  const mark = fc.constantFrom("/", "_", ".", "-", "//");
  const name = fc
    .array(fc.tuple(word, mark), { minLength: 1, maxLength: 4 })
    .map((parts) => parts.flat().slice(0, -1).join("") || "x");
  const owner = fc.constantFrom(["h0", "user"], ["h0", "rank:0"], ["h1", "user"], ["h0", "rank:1"]);
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(name, owner), { selector: String }), (all) => {
      const catalog = all.map(([metric, [host = "", entity = ""]], id) =>
        series(metric, { id, host, entity }),
      );
      const found = panels(catalog);
      const ids = found.flatMap(({ lines }) => lines.map(({ id }) => id));
      expect(ids.sort((a, b) => a - b)).toEqual(catalog.map(({ id }) => id));
      expect(new Set(found.map(({ key }) => key)).size).toBe(found.length);
      for (const { lines } of found) {
        const metrics = new Set(lines.map(({ series }) => series.metric));
        const owners = new Set(lines.map(({ series }) => `${series.host} ${series.entity}`));
        expect(Math.min(metrics.size, owners.size)).toBe(1);
        expect(new Set(lines.map(({ label }) => label)).size).toBe(lines.length);
        expect(new Set(lines.map(({ color }) => color)).size).toBe(lines.length);
      }
    }),
    { numRuns: 1000 },
  );
});

test("the series of 5000 metrics are looked at a few times each when one more comes", () => {
  const names = Array.from({ length: 5000 }, (_, i) => `layer${i >> 2}/w${i % 4}`);
  const plain = names.map((name, id) => series(name, { id }));
  const reads = new Map<string | symbol, number>();
  const counted = plain.map(
    (one) =>
      new Proxy(one, {
        get(target, name) {
          reads.set(name, (reads.get(name) ?? 0) + 1);
          return Reflect.get(target, name);
        },
      }),
  );
  expect(panels(counted)).toHaveLength(5000);
  expect([...reads].filter(([, times]) => times > 25 * counted.length)).toEqual([]);

  const times = Array.from({ length: 5 }, () => {
    const begun = performance.now();
    buildGroups(plain, [], null);
    return performance.now() - begun;
  });
  console.info(`5000 series: grouped in ${Math.min(...times).toFixed(1)} ms`);
});
