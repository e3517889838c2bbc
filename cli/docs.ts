import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { settingsPage } from "./settings-docs.ts";

/** The files below docs/ that are made by `npm run docs`, path → text. */
export const pages: Record<string, () => string> = {
  "docs/settings.md": settingsPage,
};

if (import.meta.main) {
  for (const [path, text] of Object.entries(pages)) {
    const file = join(import.meta.dirname, "..", path);
    writeFileSync(`${file}.new`, text());
    renameSync(`${file}.new`, file);
  }
}
