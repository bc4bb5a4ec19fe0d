/** What the test environment's DOM lacks. */

import { vi } from "vitest";

/** An `IntersectionObserver` that sees nothing; `vi.unstubAllGlobals` takes it away. */
export function stubIntersections(): void {
  vi.stubGlobal(
    "IntersectionObserver",
    class {
      observe(): void {}
      unobserve(): void {}
      disconnect(): void {}
    },
  );
}
