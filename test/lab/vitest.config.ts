import { totalmem } from "node:os";
import { defineConfig } from "vitest/config";
import { reporters } from "../helpers/reporters.ts";

/** End-to-end tests on the lab: two files at a time, each on a lab of its own, where the machine has room for two labs. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    // What takes over ten minutes goes by itself: npm run test:life.
    include: [process.env.LIFE === undefined ? "*.e2e.ts" : "*.life.ts"],
    reporters: reporters("lab"),
    globalSetup: ["./start-lab.ts"],
    setupFiles: ["./lab-of-worker.ts"],
    pool: "forks",
    maxWorkers: totalmem() > 20 * 2 ** 30 ? 2 : 1,
    testTimeout: 20 * 60_000,
    hookTimeout: 20 * 60_000,
    // Phases show while they end.
    disableConsoleIntercept: true,
  },
});
