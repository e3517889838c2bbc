import { once } from "node:events";
import { execa } from "execa";
import { controlAddress, repo } from "../../../lab/paths.ts";
import type { Kubectl } from "./kubectl.ts";
import { answerTime } from "./patience.ts";
import { inProbe, type Probe } from "./probes.ts";

const port = 18090;
/** Address of the server outside the cluster. */
const outside = `http://${controlAddress}:${port}/`;

const server = `
import { createServer } from "node:http";
createServer((request, response) => response.end(request.socket.remoteAddress + "\\n"))
  .listen(${port}, "${controlAddress}", () => console.log("ready"));
process.stdin.resume().on("end", () => process.exit());`;

/** Runs a step while a server on the external network tells whoever asks it the address it sees. */
async function withServerOutside<T>(step: () => Promise<T>): Promise<T> {
  const node = execa(`${repo}/lab/run`, ["node", "--input-type=module", "--eval", server], {
    cwd: repo,
    stdin: "pipe",
    reject: false,
  });
  try {
    await Promise.race([
      once(node.stdout, "data"),
      node.then(({ stderr }) => Promise.reject(new Error(`the server outside ended: ${stderr}`))),
    ]);
    return await step();
  } finally {
    // The end of its input is the server's sign to go.
    node.stdin.end();
    await node;
  }
}

/** The address that each probe has for a server outside the cluster. */
export async function seenOutside(kubectl: Kubectl, all: readonly Probe[]): Promise<string[]> {
  const seen = await withServerOutside(() =>
    Promise.all(all.map((probe) => inProbe(kubectl, probe, `wget -q -T ${answerTime} -O - ${outside}`))),
  );
  return seen.map((text) => text.trim());
}
