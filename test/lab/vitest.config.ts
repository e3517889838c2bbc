import { defineConfig } from "vitest/config";
import { reporters } from "../helpers/reporters.ts";

/** End-to-end tests on the lab: one cluster after the other, since the machine has room for one. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ["*.e2e.ts"],
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
