import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["*.test.ts", "{core,widget,lab}/**/*.test.ts"],
    environment: "node",
  },
});
