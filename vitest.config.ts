import { defineConfig } from "vitest/config";
import { reporters } from "./test/helpers/reporters.ts";

/** Every test that needs no cloud; those of the lab have a configuration of their own, test/lab/vitest.config.ts. */
export default defineConfig({
  test: {
    include: ["test/{model,render,graph,contract,cli,plugins}/**/*.test.ts", "test/lab/unit/**/*.test.ts"],
    reporters: reporters("fast"),
    // A busy machine takes long to load the SDKs, to run scripts and to start plugins.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // The Pulumi runtime is global to a process.
    pool: "forks",
    // An Output that is printed as text is an error, not "Calling [toString] on an [Output<T>]…".
    env: { PULUMI_ERROR_OUTPUT_STRING: "true" },
  },
});
