import { readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { comment, longestComment, marker, type StackResult } from "../../cli/plan/comment.ts";
import type { Comparison } from "../../cli/plan/compare.ts";
import { Project, repo } from "../helpers/project.ts";

const nothing: Comparison = { added: [], removed: [], differences: [] };
const line = (nodes: string[], ...lines: string[]): Comparison => ({
  ...nothing,
  differences: [{ nodes, subject: "/etc/kubernetes/kubelet.yaml", lines }],
});

describe("the comment", () => {
  it("begins with the line by which it is found", () => {
    expect(comment("main", [{ stack: "dev", comparison: nothing }]).split("\n")[0]).toBe(marker);
  });

  it("folds nothing where nothing changes", () => {
    const text = comment("main", [{ stack: "dev", comparison: nothing }]);
    expect(text).toContain("| <code>dev</code> | none |\n");
    expect(text).not.toContain("<details>");
  });

  it("folds a difference below its stack and its nodes", () => {
    const text = comment("main", [
      { stack: "dev", comparison: line(["worker-1", "worker-2"], "+maxPods: 200") },
    ]);
    expect(text).toContain("| <code>dev</code> | 1 difference on 2 nodes |\n");
    expect(text).toContain(`
<details>
<summary><code>dev</code></summary>


<details>
<summary><code>worker-1, worker-2</code>: 1 difference</summary>

<code>/etc/kubernetes/kubelet.yaml</code>

\`\`\`diff
+maxPods: 200
\`\`\`

</details>
</details>
`);
  });

  it("says where not all was compared", () => {
    const text = comment("main", [{ stack: "dev", comparison: { ...nothing, limit: "files alone" } }]);
    expect(text).toContain("| <code>dev</code> | none; <code>files alone</code> |\n");
  });

  it("says of a stack that cannot be planned why", () => {
    const text = comment("main", [{ stack: "dev", problem: "1 wrong setting:\n  runtime: must be docker" }]);
    expect(text).toContain(
      "| <code>dev</code> | no plan: <code>1 wrong setting: runtime: must be docker</code> |\n",
    );
    expect(text).toContain("```text\n1 wrong setting:\n  runtime: must be docker\n```\n");
  });

  it("lets nothing of a pull request out of its place", () => {
    const { differences } = line(["worker-1"], "+```", "+</details>", "+````");
    const hostile = { ...differences[0]!, subject: "/etc/x`|</code>@everyone*" };
    const text = comment("a|b", [{ stack: "<b>", comparison: { ...nothing, differences: [hostile] } }]);
    expect(text).toContain("`````diff\n+```\n+</details>\n+````\n`````\n");
    expect(text).toContain("<code>/etc/x&#96;&#124;&#60;/code&#62;&#64;everyone&#42;</code>");
    expect(text).toContain("| <code>&#60;b&#62;</code> |");
    expect(text).toContain("since <code>a&#124;b</code>");
  });

  it("names few of many nodes", () => {
    const nodes = Array.from({ length: 500 }, (_, index) => `worker-${index}`);
    expect(comment("main", [{ stack: "dev", comparison: line(nodes, "+x") }])).toContain(
      "<code>worker-0, worker-1, worker-2, worker-3, worker-4, worker-5</code> and 494 more: 1 difference",
    );
  });
});

describe("a comment that would be too long for GitHub", () => {
  const many = (stacks: number, differences: number, lines: number): StackResult[] =>
    Array.from({ length: stacks }, (_, stack) => ({
      stack: `stack-${stack}`,
      comparison: {
        ...nothing,
        differences: Array.from({ length: differences }, (_, index) => ({
          nodes: [`worker-${index}`],
          subject: "/etc/kubernetes/kubelet.yaml",
          lines: Array.from({ length: lines }, (_, number) => `+line ${number} of ${index}`),
        })),
      },
    }));
  const pointer = "Cut to GitHub's limit";

  it.each([
    ["long differences", many(1, 3, 5_000)],
    ["many differences", many(2, 150, 50)],
    ["more differences than it could name", many(3, 3_000, 1)],
    ["more stacks than it could name", many(5_000, 1, 1)],
  ])("with %s is cut, points to the rest and stays whole", (_title, results) => {
    const text = comment("main", results);
    expect(text.length).toBeLessThanOrEqual(longestComment);
    expect(text).toContain("| <code>stack-0</code> |");
    expect(text.endsWith(`${pointer}. All of it: <code>npm run plan -- STACK --diff main</code>\n`)).toBe(
      true,
    );
    const opened = text.match(/<details>/g)?.length ?? 0;
    expect(text.match(/<\/details>/g)?.length ?? 0).toBe(opened);
    expect((text.match(/^```/gm)?.length ?? 0) % 2).toBe(0);
  });

  it("says how many lines of a difference it left out", () => {
    expect(comment("main", many(1, 1, 5_000))).toContain("+line 199 of 0\n… 4800 lines more\n```\n");
  });

  it("shows the first of too many groups of nodes", () => {
    const text = comment("main", many(1, 3_000, 30));
    expect(text.length).toBeGreaterThan(longestComment / 3);
    expect(text).toContain("<summary><code>worker-0</code>: 1 difference</summary>");
    expect(text).toMatch(/\n… and \d+ groups of nodes with other differences\n/);
  });

  it("is not cut when it just fits", () => {
    const text = comment("main", many(1, 60, 60));
    expect(text.length).toBeGreaterThan(longestComment / 2);
    expect(text).not.toContain(pointer);
  });
});

describe("npm run preview-comment", () => {
  let project: Project;
  beforeEach(() => {
    project = new Project();
    project.program();
    project.write("Pulumi.dev.yaml", readFileSync(join(repo, "Pulumi.dev.yaml"), "utf8"));
    project.commit();
  });
  afterEach(() => {
    project.delete();
  });

  const run = (...args: string[]) =>
    execa("node", ["cli/preview-comment.ts", ...args], {
      cwd: project.folder,
      preferLocal: true,
      localDir: repo,
      reject: false,
      stripFinalNewline: false,
    });

  it("prints for a sample change what docs/ shows", async () => {
    const before = readFileSync(join(project.folder, "Pulumi.dev.yaml"), "utf8");
    const after = before.replace(
      /^ {4}worker-2: .*\n/m,
      `    worker-2: { role: worker, slot: 12, labels: { disk: ssd } }
    worker-3: { role: worker, slot: 13 }
  openstack-kubernetes:kubelet:
    maxPods: 200
`,
    );
    project.write("Pulumi.dev.yaml", after);
    const { exitCode, stdout, stderr } = await run("--base", "main");
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    await expect(stdout).toMatchFileSnapshot(join(repo, "docs/example-preview-comment.md"));
  });

  it("compares each stack, those that are new, gone or wrong too", async () => {
    project.stack("gone");
    project.commit();
    project.remove("Pulumi.gone.yaml");
    project.stack("new");
    project.stack("wrong", { runtime: "podman" });
    const { exitCode, stdout } = await run("--base", "main");
    expect(exitCode).toBe(0);
    expect(stdout.match(/^\| <code>.*$/gm)).toEqual([
      "| <code>dev</code> | none |",
      "| <code>gone</code> | 3 nodes less, 4 differences of the cluster |",
      "| <code>new</code> | 3 new nodes, 4 differences of the cluster |",
      expect.stringMatching(
        /^\| <code>wrong<\/code> \| no plan: <code>1 wrong setting: openstack-kubernetes:runtime: must be /,
      ) as string,
    ]);
  });

  it("has to be told a commit that git knows", async () => {
    expect(await run()).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/^--base is missing\n/) });
    expect(await run("--base", "nowhere")).toMatchObject({
      exitCode: 1,
      stderr: "git knows no commit nowhere\n",
    });
  });
});
