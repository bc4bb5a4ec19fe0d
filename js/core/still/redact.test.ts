import { expect, test } from "vitest";
import { encodeKeyframe } from "../testing/packets";
import { decodePacket, type KeyframePacket } from "../wire/packet";
import { redactKeyframe } from "./redact";

const series = { entity: "gpu:0", metric: "gpu.power", unit: "W", kind: "gauge", labels: {} };
const source = { name: "dcgm", state: "failed", remedy: "", missing: [] };
const header = {
  series: [
    { id: 0, host: "alice-laptop", ...series },
    { id: 1, host: "bob-laptop", ...series },
    { id: 2, host: "bob-laptop", ...series, entity: "fs:/home/alice" },
    { id: 3, host: "bob-laptop", ...series, entity: "fs:/" },
  ],
  entities: {
    "gpu:0": { name: "H200", user: "alice", command: "python secret.py" },
    "bob-laptop": { name: "bob-laptop", os: "Linux" },
    "fs:/home/alice": { size: "1" },
    "fs:/mnt/secret": { size: "1" },
  },
  state: {
    phase: "running",
    title: "of bob-laptop",
    recording: { path: "alice/x.pulse", bytes: 5, problem: "no room in /home/alice" },
    sources: [{ ...source, problem: "cannot read /home/alice/lib.so: no" }],
  },
  events: [
    { time: 1, metric: "cell", entity: "", id: 3, source: "open('secret')", value: null },
    { time: 1, metric: "log.stdout", entity: "kernel", label: "password: secret", value: null },
    { time: 1, metric: "event", entity: "fs:/home/alice", kind: "full", more: { cwd: "secret" } },
    { time: 2, metric: "mark", entity: "", label: "epoch 1", traceback: "secret", value: null },
  ],
};

test("a picture that leaves the machine keeps its curves and tells nothing of whose they are", () => {
  const codes = [
    [1, 2],
    [3, 65533],
  ] as const;
  const packet = encodeKeyframe(7, [0, 1, 2], [{ id: 0, lo: 0, hi: 9, codes }], {
    ...header,
    last: [8.5],
  });

  const redacted = redactKeyframe(packet);
  const keyframe = decodePacket(redacted) as KeyframePacket;

  expect(new TextDecoder().decode(redacted)).not.toMatch(/alice|bob|secret/);
  expect([...keyframe.max]).toEqual([2, 65533]);
  expect(keyframe.last).toEqual([8.5]);
  const hosts = keyframe.series.map(({ host }) => host);
  expect(hosts).toEqual(["host-0", "host-1", "host-1", "host-1"]);
  const entities = keyframe.series.map(({ entity }) => entity);
  expect(entities).toEqual(["gpu:0", "gpu:0", "fs:mount-1", "fs:/"]);
  expect(keyframe.entities).toEqual({
    "gpu:0": { name: "H200" },
    "host-1": { os: "Linux" },
    "fs:mount-1": { size: "1" },
  });
  expect(keyframe.events.map(({ label }) => label)).toEqual([undefined, undefined, "epoch 1"]);
  expect(keyframe.events[1]).toMatchObject({ entity: "fs:mount-1", kind: "full" });
  expect(keyframe.state?.sources[0]?.problem).toBe("cannot read <path>: no");
  expect(keyframe.state?.title).toBe("of <name>");
  expect(keyframe.state?.recording).toMatchObject({ path: "x.pulse", bytes: 5 });
});
