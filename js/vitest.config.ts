import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{core,widget,lab}/**/*.test.ts"],
    environment: "node",
  },
});
