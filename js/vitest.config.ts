import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["*.test.ts", "{core,file,widget,lab}/**/*.test.ts"],
    environment: "node",
    // On a busy machine a test that counts many things takes longer than the default of five seconds.
    testTimeout: 30_000,
  },
});
