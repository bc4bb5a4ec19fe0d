import { expect, test } from "vitest";
import { redactKeyframe } from "./redact";
import { encodeKeyframe } from "./testing/packets";
import { decodePacket, type KeyframePacket } from "./wire";

const secret = {
  series: [
    {
      id: 0,
      host: "alice-laptop",
      entity: "gpu:0",
      metric: "gpu.power",
      unit: "W",
      kind: "gauge",
      labels: {},
    },
    {
      id: 1,
      host: "bob-laptop",
      entity: "gpu:0",
      metric: "gpu.power",
      unit: "W",
      kind: "gauge",
      labels: {},
    },
  ],
  entities: { "gpu:0": { name: "H200", user: "alice", cmdline: "python secret.py" } },
  state: {
    phase: "running",
    title: "run",
    t0: 1,
    recording: {
      path: "/home/alice/x.pulse",
      bytes: 5,
      problem: "no room in /home/alice",
      remedy: null,
    },
    sources: [
      { name: "dcgm", state: "failed", problem: "cannot read /home/alice/lib.so: no", remedy: "" },
    ],
  },
  events: [
    { time: 1, metric: "cell", entity: "", id: 3, value: null, code: "open('/home/alice/secret')" },
    { time: 2, metric: "mark", entity: "", label: "epoch 1", value: null, traceback: "secret" },
  ],
};

test("a picture that leaves the machine keeps its curves and tells nothing of whose they are", () => {
  const codes = [
    [1, 2],
    [3, 65533],
  ] as const;
  const packet = encodeKeyframe(7, [0, 1, 2], [{ id: 0, lo: 0, hi: 9, codes }], secret);

  const redacted = redactKeyframe(packet);
  const keyframe = decodePacket(redacted) as KeyframePacket;

  expect(new TextDecoder().decode(redacted)).not.toMatch(/alice|bob|secret/);
  expect([...keyframe.max]).toEqual([2, 65533]);
  expect(keyframe.series.map(({ host }) => host)).toEqual(["host-0", "host-1"]);
  expect(keyframe.entities).toEqual({ "gpu:0": { name: "H200" } });
  expect(keyframe.events.map(({ label }) => label)).toEqual([undefined, "epoch 1"]);
  expect(keyframe.state?.sources[0]?.problem).toBe("cannot read … no");
});
