// What clients need to reach a stack's cluster, as files: kubeconfig, and for Docker's client a certificate and the
// variables of each node. Run as a program: npm run client-files -- STACK [--output FOLDER]
import { chmod, mkdir, readdir, readFile, rm, rmdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { dockerPort } from "../model/files/docker.ts";
import { askEngine, calledPath, command, commandLine, project, UserError } from "./command.ts";
import { writeSecretFile } from "./secret-files.ts";

const usage = "usage: npm run client-files -- STACK [--output FOLDER]";
/** First line of the variables of a node, by which a later run knows its own files. */
const mark = "# Made by `npm run client-files`; source it, then docker speaks to this node.";

/** The stack's outputs, as far as its phase has them. */
interface Outputs {
  kubeconfig?: string;
  dockerClient?: { ca: string; certificate: string; key: string };
  inventory?: Record<string, { floatingAddress: string }>;
}

/**
 * Writes a stack's client files, each in one go, and takes away those of nodes that are gone; nothing else in the
 * folder is touched. Returns the nodes that are gone.
 */
async function writeClientFiles(stack: string, folder: string): Promise<string[]> {
  const outputs = ["stack", "output", "--json", "--show-secrets"];
  const {
    kubeconfig,
    dockerClient,
    inventory = {},
  } = await askEngine<Outputs>(stack, "the outputs", outputs);
  if (dockerClient === undefined)
    throw new UserError(`stack ${stack} has no Docker and no Kubernetes yet; see its setting phase`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await privateFolder(join(folder, "certs"));
  for (const [node, { floatingAddress }] of Object.entries(inventory)) {
    const certificates = join(folder, "certs", node);
    await privateFolder(certificates);
    await writeSecretFile(join(certificates, "ca.pem"), dockerClient.ca);
    await writeSecretFile(join(certificates, "cert.pem"), dockerClient.certificate);
    await writeSecretFile(join(certificates, "key.pem"), dockerClient.key);
    await writeSecretFile(join(folder, `${node}.env`), variables(floatingAddress, certificates));
  }
  if (kubeconfig !== undefined) await writeSecretFile(join(folder, "kubeconfig"), kubeconfig);
  return removeOthers(folder, Object.keys(inventory));
}

/** What Docker's client reads (https://docs.docker.com/reference/cli/docker/#environment-variables). */
function variables(address: string, certificates: string): string {
  return [
    mark,
    `export DOCKER_HOST=tcp://${address}:${dockerPort}`,
    "export DOCKER_TLS_VERIFY=1",
    `export DOCKER_CERT_PATH='${certificates.replaceAll("'", `'\\''`)}'`,
    "",
  ].join("\n");
}

async function removeOthers(folder: string, nodes: string[]): Promise<string[]> {
  const gone: string[] = [];
  for (const file of (await readdir(folder)).filter((name) => name.endsWith(".env"))) {
    const node = basename(file, ".env");
    if (nodes.includes(node) || !(await readFile(join(folder, file), "utf8")).startsWith(mark)) continue;
    const certificates = join(folder, "certs", node);
    for (const name of ["ca.pem", "cert.pem", "key.pem"]) await rm(join(certificates, name), { force: true });
    // It stays where somebody has put something else into it.
    await rmdir(certificates).catch(() => undefined);
    // Last, since it tells the next run what this one has left when it was killed.
    await rm(join(folder, file));
    gone.push(node);
  }
  return gone;
}

async function privateFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
  await chmod(path, 0o700);
}

await command(async () => {
  const { stack, values } = commandLine(usage, ["output"]);
  const folder = values.output ? calledPath(values.output) : join(project, "client", stack);
  const gone = await writeClientFiles(stack, folder);
  console.log(`The client files of ${stack} are in ${folder}`);
  if (gone.length > 0) console.log(`Taken away, since their nodes are gone: ${gone.join(", ")}`);
});
