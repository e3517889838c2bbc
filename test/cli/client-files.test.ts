import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const repo = join(import.meta.dirname, "../..");
let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "client files-"));
});
afterEach(() => {
  rmSync(home, { recursive: true });
});

const dockerClient = { ca: "authority\n", certificate: "certificate\n", key: "key\n" };
const inventory = {
  "cp-1": { floatingAddress: "192.0.2.10" },
  "worker-1": { floatingAddress: "192.0.2.11" },
};
const outputs = { kubeconfig: "kind: Config\n", dockerClient, inventory, endpoints: {} };

/** Stands in for the engine: writes down how it was called, and answers. */
function engine(answer: string, exitCode = 0): void {
  mkdirSync(join(home, "bin"), { recursive: true });
  writeFileSync(join(home, "answer"), answer);
  writeFileSync(
    join(home, "bin/pulumi"),
    `#!/bin/sh\necho "$@" >"${home}/called"\ncat "${home}/answer"\n[ ${exitCode} = 0 ] || echo "no stack named dev" >&2\nexit ${exitCode}\n`,
  );
  chmodSync(join(home, "bin/pulumi"), 0o755);
}

const folder = () => join(home, "out");
const clientFiles = (...args: string[]) =>
  execa(process.execPath, [join(repo, "cli/client-files.ts"), ...args], {
    cwd: home,
    env: { PATH: `${home}/bin:/usr/bin:/bin`, INIT_CWD: home },
    extendEnv: false,
    reject: false,
  });
const written = () =>
  readdirSync(folder(), { recursive: true, encoding: "utf8", withFileTypes: true })
    .map((entry) => join(entry.parentPath, entry.name).slice(folder().length + 1))
    .sort();
const mode = (path: string) => (statSync(join(folder(), path)).mode & 0o777).toString(8);
const read = (path: string) => readFileSync(join(folder(), path), "utf8");

describe("npm run client-files", () => {
  it("writes kubeconfig, certificates and variables of each node, for their owner alone", async () => {
    engine(JSON.stringify(outputs));
    const { exitCode, stdout, stderr } = await clientFiles("dev", "--output", "out");
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 0,
      stdout: `The client files of dev are in ${folder()}`,
      stderr: "",
    });
    expect(readFileSync(join(home, "called"), "utf8")).toBe(
      "stack output --json --show-secrets --non-interactive --stack dev\n",
    );
    const folders = ["certs", "certs/cp-1", "certs/worker-1"];
    const files = [
      ...["cp-1", "worker-1"].flatMap((node) => [
        `${node}.env`,
        ...["ca", "cert", "key"].map((part) => `certs/${node}/${part}.pem`),
      ]),
      "kubeconfig",
    ];
    expect(written()).toEqual([...folders, ...files].sort());
    for (const path of ["", ...folders]) expect(mode(path), path).toBe("700");
    for (const path of files) expect(mode(path), path).toBe("600");
    expect(read("kubeconfig")).toBe("kind: Config\n");
    expect(["ca", "cert", "key"].map((part) => read(`certs/worker-1/${part}.pem`))).toEqual([
      "authority\n",
      "certificate\n",
      "key\n",
    ]);
  });

  it("gives Docker's client its variables from any directory", async () => {
    engine(JSON.stringify(outputs));
    await clientFiles("dev", "--output", "out");
    const { stdout } = await execa(
      "bash",
      ["-c", 'source "$1"; env | grep ^DOCKER_ | sort', "bash", join(folder(), "worker-1.env")],
      { cwd: "/", extendEnv: false },
    );
    expect(stdout.split("\n")).toEqual([
      `DOCKER_CERT_PATH=${folder()}/certs/worker-1`,
      "DOCKER_HOST=tcp://192.0.2.11:2376",
      "DOCKER_TLS_VERIFY=1",
    ]);
  });

  it("takes away the files of a node that is gone, and touches nothing else", async () => {
    engine(JSON.stringify(outputs));
    await clientFiles("dev", "--output", "out");
    mkdirSync(join(folder(), "certs/mine"));
    for (const path of ["mine.env", "certs/mine/ca.pem", "certs/cp-1/notes", "certs/worker-1/notes"])
      writeFileSync(join(folder(), path), "mine\n");
    engine(JSON.stringify({ ...outputs, inventory: { "cp-1": inventory["cp-1"] } }));
    const { stdout } = await clientFiles("dev", "--output", "out");
    expect(stdout).toContain("Taken away, since their nodes are gone: worker-1");
    expect(written().filter((path) => /mine|notes|worker/.test(path))).toEqual([
      "certs/cp-1/notes",
      "certs/mine",
      "certs/mine/ca.pem",
      "certs/worker-1",
      "certs/worker-1/notes",
      "mine.env",
    ]);
  });

  it("replaces what is there, whatever a killed run has left beside it", async () => {
    mkdirSync(join(folder(), "certs/cp-1"), { recursive: true });
    for (const path of ["kubeconfig", "kubeconfig.new", "certs/cp-1/key.pem", "certs/cp-1/key.pem.new"]) {
      writeFileSync(join(folder(), path), "older and longer than what comes\n", { mode: 0o644 });
    }
    engine(JSON.stringify(outputs));
    expect((await clientFiles("dev", "--output", "out")).exitCode).toBe(0);
    expect(written().filter((path) => path.endsWith(".new"))).toEqual([]);
    for (const [path, text] of [
      ["kubeconfig", "kind: Config\n"],
      ["certs/cp-1/key.pem", "key\n"],
    ] as const) {
      expect({ text: read(path), mode: mode(path) }).toEqual({ text, mode: "600" });
    }
  });

  it("has no kubeconfig before phase kubernetes, and nothing at all before phase docker", async () => {
    engine(JSON.stringify({ dockerClient, inventory }));
    await clientFiles("dev", "--output", "out");
    expect(written()).toContain("cp-1.env");
    expect(written()).not.toContain("kubeconfig");
    engine(JSON.stringify({ inventory }));
    const { exitCode, stderr } = await clientFiles("dev", "--output", "none");
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: "stack dev has no Docker and no Kubernetes yet; see its setting phase",
    });
    expect(existsSync(join(home, "none"))).toBe(false);
  });

  it.each<[string, () => void, string[], string]>([
    [
      "the engine's own words",
      () => engine("{}", 255),
      ["dev"],
      "the outputs of stack dev could not be read:\nno stack named dev",
    ],
    ["that there is no engine", () => undefined, ["dev"], "pulumi is not on PATH"],
    [
      "no secret of an answer that is cut off",
      () => engine('{"key": secret'),
      ["dev"],
      "what pulumi answers for stack dev is no JSON",
    ],
    [
      "its usage without a stack",
      () => undefined,
      [],
      "one stack is to be named\nusage: npm run client-files -- STACK [--output FOLDER]",
    ],
  ])("fails with %s", async (_what, prepare, args, message) => {
    prepare();
    const { exitCode, stderr } = await clientFiles(...args, "--output", "out");
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: message });
    expect(existsSync(folder())).toBe(false);
  });
});
