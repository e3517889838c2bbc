import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Texts by path: every node has the same. */
const texts = new Map<string, string>();

/** The text of a file below `templates/`. */
export function template(path: string): string {
  let text = texts.get(path);
  if (text === undefined) {
    text = readFileSync(join(import.meta.dirname, "..", "templates", path), "utf8");
    texts.set(path, text);
  }
  return text;
}
