import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The text of a file below `templates/`. */
export function template(path: string): string {
  return readFileSync(join(import.meta.dirname, "..", "templates", path), "utf8");
}
