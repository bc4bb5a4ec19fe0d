import type { ISessionContext } from "@jupyterlab/apputils";
import { expect, test, vi } from "vitest";
import { onKernelEnd } from "./kernel-end";

class Signal {
  #slots: ((sender: unknown, value: unknown) => void)[] = [];

  connect(slot: (sender: unknown, value: unknown) => void): void {
    this.#slots.push(slot);
  }

  disconnect(slot: (sender: unknown, value: unknown) => void): void {
    this.#slots = this.#slots.filter((one) => one !== slot);
  }

  emit(value: unknown): void {
    for (const slot of this.#slots) slot(null, value);
  }
}

function session() {
  return {
    statusChanged: new Signal(),
    kernelChanged: new Signal(),
    iopubMessage: new Signal(),
  };
}

function watch(one: ReturnType<typeof session>, end = vi.fn()) {
  return { end, stop: onKernelEnd(one as unknown as ISessionContext, end) };
}

test("reads every way in which a kernel goes, and nothing into the others", () => {
  const context = session();
  const { end } = watch(context);

  for (const status of ["busy", "idle", "unknown", "restarting", "autorestarting", "dead"]) {
    context.statusChanged.emit(status);
  }

  expect(end.mock.calls.flat()).toEqual(["restarted", "died", "died"]);
});

test("hears what the kernel answers to whoever asks it to go", () => {
  const context = session();
  const { end } = watch(context);
  const message = (msg_type: string, restart?: boolean) => ({
    header: { msg_type },
    content: { restart },
  });

  context.iopubMessage.emit(message("status"));
  context.iopubMessage.emit(message("shutdown_reply", true));
  context.iopubMessage.emit(message("shutdown_reply", false));

  expect(end.mock.calls.flat()).toEqual(["restarted", "shut down"]);
});

test("tells a kernel that is another or none from one that comes and one that comes back", () => {
  const context = session();
  const { end } = watch(context);
  const [a, b] = [{ id: "a" }, { id: "b" }];

  context.kernelChanged.emit({ oldValue: null, newValue: a });
  context.kernelChanged.emit({ oldValue: a, newValue: { id: "a" } });
  expect(end).not.toHaveBeenCalled();

  context.kernelChanged.emit({ oldValue: a, newValue: b });
  context.kernelChanged.emit({ oldValue: b, newValue: null });
  expect(end.mock.calls.flat()).toEqual(["replaced", "shut down"]);
});

test("is silent when nobody asks any more", () => {
  const context = session();
  const { end, stop } = watch(context);

  stop();
  context.statusChanged.emit("dead");
  context.kernelChanged.emit({ oldValue: { id: "a" }, newValue: null });

  expect(end).not.toHaveBeenCalled();
});
