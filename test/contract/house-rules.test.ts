import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { repo } from "../helpers/project.ts";

// The tools that check the whole tree, each as a test; docs/development.md says what they are for.

const minutes = 60_000;

/** What a tool of node_modules says of the tree, where that is not everything in order. */
async function complaints(command: string, ...args: string[]): Promise<string> {
  const { failed, all, shortMessage } = await execa(command, args, {
    cwd: repo,
    preferLocal: true,
    all: true,
    reject: false,
  });
  return failed ? [shortMessage, all].join("\n") : "";
}

/** A place for what a tool keeps from one run to the next. */
const cache = (tool: string) => join("node_modules", ".cache", tool);

describe.concurrent("the whole tree", () => {
  it.each<[rule: string, command: string[]]>([
    ["has no wrong types (tsc)", ["tsc", "-p", ".", "--incremental", "--tsBuildInfoFile", cache("tsc")]],
    [
      "has none of the mistakes that eslint knows",
      ["eslint", "--cache", "--cache-location", cache("eslint"), "."],
    ],
    ["is formatted (prettier, shfmt): npm run format", ["prettier", "--check", "--log-level=warn", "."]],
    ["has no unused file, export or dependency (knip)", ["knip", "--no-progress"]],
    [
      "keeps its folders apart (dependency-cruiser)",
      ["depcruise", "index.ts", "model", "components", "cli", "destroy", "lab", "test"],
    ],
  ])("%s", { timeout: 15 * minutes }, async (_rule, [command, ...args]) => {
    expect(await complaints(command!, ...args)).toBe("");
  });

  it("has shell scripts in which shellcheck finds nothing", { timeout: 5 * minutes }, async () => {
    // Those of templates/ have tests of their own, each by its name.
    const shell = ["grep", "-lE", "^#!/(usr/)?bin/(env )?(ba)?sh$", "--", ":!*.ts", ":!templates"];
    const scripts = (await execa("git", shell, { cwd: repo })).stdout.split("\n");
    expect(scripts).toContain("scripts/test");
    expect(await complaints("shellcheck", ...scripts)).toBe("");
  });
});
