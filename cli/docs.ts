import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { changesPage } from "./changes-docs.ts";
import { clusterPicture } from "./cluster-picture.ts";
import { examplePlan } from "./example.ts";
import { packetWays } from "./packet-ways.ts";
import { planStack } from "./plan/stacks.ts";
import { settingsPage } from "./settings-docs.ts";
import { wayPicture } from "./way-picture.ts";

const project = join(import.meta.dirname, "..");

/** The files below docs/ that are made by `npm run docs`, path → text. */
export const pages: Record<string, string> = {
  "docs/settings.md": settingsPage(),
  "docs/changes.md": changesPage(),
  "docs/dev.svg": clusterPicture(planStack(project, "dev").plan),
  ...Object.fromEntries(
    Object.entries(packetWays(examplePlan())).map(([name, way]) => [`docs/${name}.svg`, wayPicture(way)]),
  ),
};

if (import.meta.main) {
  for (const [path, text] of Object.entries(pages)) {
    const file = join(project, path);
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  }
}
