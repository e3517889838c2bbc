import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { execa, type Options, type Result } from "execa";
import { writeSecretFile } from "../cli/secret-files.ts";
import { labSettings } from "./client/stack.ts";
import { stackOf, startedCompute, type Compute } from "./compute.ts";
import { engine } from "./engine/engine.ts";
import { fillMirror } from "./mirror/mirror.ts";
import { serveCommand } from "./mirror/serve.ts";
import { liveLab, startDaemon, waitForDaemon } from "./namespaces.ts";
import { controlAddress, lab, mirrorUrl, registry, repo } from "./paths.ts";
import { LabError, phase } from "./phase.ts";

/** What the mirror and the registry serve. */
type Served = Awaited<ReturnType<typeof fillMirror>>;

/** Gets the engine and fills the mirror; the folders of the tools go to `.lab/path`, where lab/run reads them. */
export async function prepareTools(compute: Compute): Promise<Served> {
  // One after the other: both compile with every core there is.
  const folders = await engine();
  const { cluster, runtime, network } = await labSettings(compute);
  const served = await fillMirror({ ...cluster, ...network, runtime });
  await writeFile(lab("path"), [...folders, dirname(served.kubectl)].map((folder) => `${folder}\n`).join(""));
  return served;
}

/** Starts the two servers inside the lab. */
export async function startMirror({ root, registryRoot }: Served): Promise<void> {
  const servers = [
    { name: "mirror", command: serveCommand("mirror", root, controlAddress, 8000), url: mirrorUrl },
    {
      name: "registry",
      command: serveCommand("registry", registryRoot, controlAddress, 5050),
      url: `http://${registry}/v2/`,
    },
  ];
  for (const { name, command, url } of servers) {
    await startDaemon({ name, command });
    await waitForDaemon(name, ["curl", "--silent", "--output", "/dev/null", url], 30);
  }
}

/** Runs a program with everything that lab/run sets, its output on the screen unless said otherwise. */
const inLabRun = async (
  args: readonly string[],
  options: Options = { stdio: "inherit" },
): Promise<Result<{}>> => (await execa(`${repo}/lab/run`, args, { ...options, cwd: repo })) as Result<{}>;

/** Builds the lab's stack and hands out its kubeconfig. */
export async function buildCluster(): Promise<void> {
  await mkdir(lab("pulumi"), { recursive: true });
  const stack = stackOf(await startedCompute());
  const chosen = ["--stack", stack];
  await phase("pulumi up", async () => {
    await inLabRun(["pulumi", "stack", "select", "--create", ...chosen]);
    // A run that was killed leaves its lock and changes whose end nobody saw.
    await inLabRun(["pulumi", "cancel", "--yes", ...chosen], { stdio: "ignore", reject: false });
    const up = await inLabRun(["pulumi", "up", "--yes", "--skip-preview", ...chosen], {
      stdio: "inherit",
      reject: false,
    });
    if (up.exitCode !== 0) throw new LabError("the program did not finish; run `npm run lab` again to go on");
  });
  const output = ["pulumi", "stack", "output", "kubeconfig", "--show-secrets", ...chosen];
  const { stdout } = await inLabRun(output, { stdio: "pipe" });
  await writeSecretFile(lab("kubeconfig"), `${stdout}\n`);
  await inLabRun(["kubectl", "get", "nodes", "--output=wide"]);
  console.log(`
The cluster is up. Use it:
  lab/run kubectl get pods --all-namespaces
  lab/run pulumi preview --stack ${stack}
  lab/run bash                      a shell with everything set
  npm run lab -- destroy            destroy the cluster, keep the lab
  npm run lab -- down               end the lab`);
}

/** Destroys the lab's stack. */
export async function destroyCluster(): Promise<void> {
  if ((await liveLab()) === undefined)
    throw new LabError("No lab is running here, so there is no stack to destroy");
  if (!existsSync(lab("pulumi"))) return console.log("There is no stack to destroy.");
  const chosen = ["--stack", stackOf(await startedCompute())];
  await phase("pulumi destroy", async () => {
    await inLabRun(["pulumi", "cancel", "--yes", ...chosen], { stdio: "ignore", reject: false });
    const destroy = await inLabRun(["pulumi", "destroy", "--yes", "--skip-preview", ...chosen], {
      reject: false,
    });
    if (destroy.exitCode !== 0)
      throw new LabError("the stack is not gone; run `npm run lab -- destroy` again to go on");
  });
}
