import { defineConfig } from "vitest/config";

/** End-to-end tests on the lab: one cluster after the other, since the machine has room for one. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ["*.e2e.ts"],
    globalSetup: ["./start-lab.ts"],
    pool: "forks",
    fileParallelism: false,
    testTimeout: 20 * 60_000,
    hookTimeout: 20 * 60_000,
    // Phases show while they end.
    disableConsoleIntercept: true,
  },
});
