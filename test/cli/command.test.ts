import { readdirSync, watch } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { planOf } from "../helpers/cluster.ts";
import { Project, repo } from "../helpers/project.ts";

/** The command as npm runs it. */
async function plan(args: string[], folder = repo, env: Record<string, string> = {}) {
  const { exitCode, stdout, stderr } = await execa("node", [join(folder, "cli/plan.ts"), ...args], {
    cwd: folder,
    env,
    preferLocal: true,
    localDir: repo,
    reject: false,
    stripFinalNewline: false,
  });
  return { exitCode, stdout, stderr };
}

describe("the command", () => {
  it("prints the plan of a stack", async () => {
    const { exitCode, stdout, stderr } = await plan(["dev"]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toMatch(/^dev: Kubernetes /);
  });

  it("prints one object for programs", async () => {
    const { stdout } = await plan(["dev", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ format: 1, stack: "dev" });
  });

  it("prints one file byte for byte", async () => {
    const path = "/etc/systemd/system/kubelet.service";
    const { stdout } = await plan(["dev", "--file", `cp-1:${path}`]);
    expect(stdout).toBe(planOf().controlPlane.files[path]!.content);
  });

  it("prints how it is called", async () => {
    expect(await plan(["--help"])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^npm run plan -- STACK/) as string,
    });
  });

  it.each([
    [["prod"], "there is no Pulumi.prod.yaml; stacks: dev, lab"],
    [["dev", "--file", "worker-9:/etc/hosts"], "--file: no node worker-9; nodes: cp-1, worker-1, worker-2\n"],
    [["dev", "--diff", "no-such-ref"], "git knows no commit no-such-ref\n"],
    [["dev", "--diff=--all"], "git knows no commit --all\n"],
    [[], "one stack and one option at most\n"],
    [["dev", "lab"], "one stack and one option at most\n"],
    [["dev", "--json", "--svg"], "one stack and one option at most\n"],
    [["dev", "--yaml"], "Unknown option '--yaml'"],
  ])("%j is an error of one line or the usage", async (args, message) => {
    const { exitCode, stdout, stderr } = await plan(args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr.startsWith(message), stderr).toBe(true);
    expect(stderr).not.toMatch(/^ {4}at /m);
  });
});

describe("the command in a project with a history", () => {
  let project: Project;
  beforeEach(() => {
    project = new Project();
    project.stack("demo");
    project.program();
    project.commit();
  });
  afterEach(() => {
    project.delete();
  });

  it("prints what changes, and leaves nothing behind", async () => {
    project.stack("demo", { kubelet: { maxPods: 200 } });
    const temporary = new Project();
    const { exitCode, stdout, stderr } = await plan(["demo", "--diff", "main"], project.folder, {
      TMPDIR: temporary.folder,
    });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toBe(`demo: changes from main

cp-1, worker-1, worker-2: /etc/kubernetes/kubelet.yaml
@@ -21,3 +21,4 @@
 staticPodPath: /etc/kubernetes/manifests
 tlsCertFile: /etc/kubernetes/pki/kubelet.crt
 tlsPrivateKeyFile: /etc/kubernetes/pki/kubelet.key
+maxPods: 200
`);
    expect(readdirSync(temporary.folder)).toEqual([]);
    temporary.delete();
  });

  it("leaves nothing behind when it fails or is stopped", async () => {
    const temporary = new Project();
    const env = { TMPDIR: temporary.folder };
    project.write("model/plan.ts", "throw new Error('no plan today');\n");
    project.commit();
    const failed = await plan(["demo", "--diff", "main"], project.folder, env);
    expect(failed.exitCode).toBe(1);
    expect(readdirSync(temporary.folder)).toEqual([]);

    const started = new Promise((resolve) => watch(temporary.folder).once("change", resolve));
    const running = execa("node", [join(repo, "cli/plan.ts"), "dev", "--diff", "HEAD"], {
      env,
      preferLocal: true,
      localDir: repo,
      reject: false,
      // It ends when git has, and a busy machine takes long for that.
      forceKillAfterDelay: false,
    });
    await started;
    running.kill("SIGTERM");
    await running;
    expect(readdirSync(temporary.folder)).toEqual([]);
    temporary.delete();
  });
});
