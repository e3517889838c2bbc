import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { stateIn } from "../../cli/stack-state.ts";
import { repo } from "../helpers/project.ts";

const port = { urn: "urn:port", type: "openstack:networking/port:Port" };
const secret = { "4dabf18193072939515e22adb298388d": "a", plaintext: '"10.0.0.10"' };

describe("what killed runs had begun", () => {
  const begun = (type: string, resources: object[] = []) =>
    stateIn({
      deployment: {
        resources,
        pending_operations: [{ type, resource: { ...port, inputs: { name: secret } } }],
      },
    }).begun;

  it("is what the state has as being created, its secrets readable", () => {
    expect(begun("creating")).toEqual([{ ...port, inputs: { name: "10.0.0.10" }, outputs: {} }]);
  });

  it("is nothing that only changes, and nothing that a later run has made", () => {
    expect(begun("updating")).toEqual([]);
    expect(begun("creating", [port])).toEqual([]);
  });

  it("is nothing in a state that has none", () => {
    expect(stateIn({})).toEqual({ resources: [], begun: [] });
  });
});

describe("what a destroy begins with", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "destroy-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Runs it with an engine that answers so; where it finds something to do, it would need Node. */
  const destroy = (script: string) => {
    writeFileSync(join(folder, "pulumi"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const env = { PATH: `${folder}:/usr/bin:/bin`, STACK: "organization/openstack-kubernetes/test" };
    return execa(join(repo, "destroy/leftovers.sh"), {
      cwd: "/",
      env,
      extendEnv: false,
      all: true,
      reject: false,
    });
  };

  it("asks for the stack's state, and is silent where nothing was begun", async () => {
    const called = join(folder, "called");
    const { exitCode, all } = await destroy(
      `echo "$@" >${called}; pwd >>${called}; echo '"type": "updating"'`,
    );
    expect([exitCode, all]).toEqual([0, ""]);
    const { stdout } = await execa("cat", [called]);
    expect(stdout.split("\n")).toEqual([
      "stack export --non-interactive --stack organization/openstack-kubernetes/test",
      repo.replace(/\/$/, ""),
    ]);
  });

  it("does not hold up a destroy whose state cannot be read, and says why", async () => {
    const { exitCode, all } = await destroy("echo no such stack >&2; exit 1");
    expect([exitCode, all]).toEqual([0, "no such stack"]);
  });

  it("goes on where something was begun", async () => {
    const { exitCode, all } = await destroy('echo \'"type": "creating"\'');
    expect(exitCode).not.toBe(0);
    expect(all).toContain("what pulumi answers for stack organization/openstack-kubernetes/test is no JSON");
  });
});
