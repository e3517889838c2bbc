import type { ViteUserConfig } from "vitest/config";

/** What a run of tests says on the screen and, where the variable TEST_RESULTS names a folder, in a JSON file there. */
export function reporters(name: string): NonNullable<ViteUserConfig["test"]>["reporters"] {
  const folder = process.env.TEST_RESULTS;
  return folder === undefined ? ["default"] : ["default", ["json", { outputFile: `${folder}/${name}.json` }]];
}
