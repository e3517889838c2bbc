import { defineConfig } from "vitest/config";
import { reporters } from "../helpers/reporters.ts";

/** End-to-end tests on the lab: one cluster after the other, since the machine has room for one. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    // What takes over ten minutes goes by itself: npm run test:life.
    include: [process.env.LIFE === undefined ? "*.e2e.ts" : "*.life.ts"],
    reporters: reporters("lab"),
    globalSetup: ["./start-lab.ts"],
    pool: "forks",
    fileParallelism: false,
    testTimeout: 20 * 60_000,
    hookTimeout: 20 * 60_000,
    // Phases show while they end.
    disableConsoleIntercept: true,
  },
});
