import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { parse } from "yaml";
import { longestComment, marker } from "../../cli/plan/comment.ts";

interface Step {
  uses?: string;
  env?: Record<string, string>;
  with?: Record<string, string>;
}

interface Job {
  if: string;
  permissions?: Record<string, string>;
  steps: Step[];
}

interface Workflow {
  permissions: Record<string, string>;
  jobs: Record<string, Job>;
}

const workflow = (name: string) =>
  parse(readFileSync(join(import.meta.dirname, `../../.github/workflows/${name}.yml`), "utf8")) as Workflow;

describe("the workflow of previews", () => {
  const { permissions, jobs } = workflow("preview");
  const { pulumi, offline } = jobs as { pulumi: Job; offline: Job };

  it("gives code of others neither secrets nor a right to write", () => {
    expect(permissions).toEqual({ contents: "read" });
    expect(offline.permissions).toBeUndefined();
    expect(JSON.stringify(offline)).not.toContain("secrets.");
    for (const { steps } of [pulumi, offline]) {
      const checkout = steps.find(({ uses }) => uses?.startsWith("actions/checkout@"))!;
      expect(checkout.with).toMatchObject({ "persist-credentials": false });
    }
  });

  it("makes each pull request's preview in one way", () => {
    const terms = (condition: string, operator: string) =>
      condition.split(operator).map((term) => term.trim());
    const opposite = (term: string) =>
      term.startsWith("!") ? term.slice(1) : term.includes("!=") ? term.replace("!=", "==") : `!${term}`;
    expect(terms(pulumi.if, "&&").map(opposite)).toEqual(terms(offline.if, "||"));
  });

  it("has Pulumi's action update its comment", () => {
    const action = pulumi.steps.find(({ uses }) => uses?.startsWith("pulumi/actions@"));
    expect(action?.with).toMatchObject({
      command: "preview",
      "comment-on-pr": true,
      "edit-pr-comment": true,
    });
  });
});

describe("the workflow of the comment", () => {
  const { permissions, jobs } = workflow("preview-comment");
  const { steps } = jobs.comment!;

  it("may write comments alone, and has no code but its own", () => {
    expect(permissions).toEqual({ actions: "read", "pull-requests": "write" });
    expect(steps.map(({ uses }) => uses?.split("@")[0])).toEqual([
      "actions/download-artifact",
      "actions/github-script",
    ]);
    // An expression inside the script would be code of who wrote its value.
    expect(steps[1]!.with!.script).not.toContain("${{");
  });

  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "comment-"));
    vi.stubEnv("COMMENT", join(folder, "comment.md"));
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });

  /** Runs the script against a GitHub with these comments; returns the calls that write, and the notices. */
  async function post(comments: object[] = [], sha = "abc") {
    const calls: unknown[] = [];
    const list = { pulls: "pulls", comments: "comments" };
    const github = {
      rest: {
        pulls: { list: list.pulls },
        issues: {
          listComments: list.comments,
          createComment: (call: object) => calls.push({ create: call }),
          updateComment: (call: object) => calls.push({ update: call }),
        },
      },
      paginate: (what: string, query: object) => {
        if (what === list.pulls) expect(query).toMatchObject({ state: "open", head: "someone:topic" });
        else expect(query).toEqual({ owner: "us", repo: "cluster", issue_number: 7 });
        return what === list.pulls ? [{ number: 7, head: { sha: "abc" } }] : comments;
      },
    };
    const run = { head_repository: { owner: { login: "someone" } }, head_branch: "topic", head_sha: sha };
    const context = { payload: { workflow_run: run }, repo: { owner: "us", repo: "cluster" } };
    const notice = (text: string) => calls.push({ notice: text });
    // As the action runs it.
    // eslint-disable-next-line @typescript-eslint/no-implied-eval
    const script = new Function(
      "github, context, core, require",
      `return (async () => {${steps[1]!.with!.script}})()`,
    ) as (...args: unknown[]) => Promise<void>;
    await script(github, context, { notice }, createRequire(import.meta.url));
    return calls;
  }

  const write = (text: string) => writeFileSync(join(folder, "comment.md"), text);
  const body = `${marker}\nnothing\n`;

  it("makes the first comment of a pull request", async () => {
    write(body);
    expect(await post([{ id: 1, user: { login: "someone" }, body }])).toEqual([
      { create: { owner: "us", repo: "cluster", issue_number: 7, body } },
    ]);
  });

  it("replaces its own comment", async () => {
    write(body);
    const comments = [
      { id: 1, user: null, body: null },
      { id: 2, user: { login: "github-actions[bot]" }, body: "of Pulumi" },
      { id: 3, user: { login: "github-actions[bot]" }, body: `${marker}\nearlier` },
    ];
    expect(await post(comments)).toEqual([{ update: { owner: "us", repo: "cluster", comment_id: 3, body } }]);
  });

  it("says nothing of a commit that is no longer the pull request's", async () => {
    write(body);
    expect(await post([], "old")).toEqual([{ notice: "The pull request has gone on since: no comment." }]);
  });

  it("takes as much text as GitHub does, and none without the marker", async () => {
    write(body.padEnd(longestComment, "x"));
    expect(await post()).toHaveLength(1);
    write(body.padEnd(longestComment + 1, "x"));
    await expect(post()).rejects.toThrow("comment.md is no comment");
    write("Buy now\n");
    await expect(post()).rejects.toThrow("comment.md is no comment");
  });

  it("follows no link", async () => {
    writeFileSync(join(folder, "secret"), body);
    symlinkSync("secret", join(folder, "comment.md"));
    await expect(post()).rejects.toThrow("comment.md is no file");
  });
});
