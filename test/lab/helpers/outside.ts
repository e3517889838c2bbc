import { once } from "node:events";
import { execa } from "execa";
import { controlAddress, repo } from "../../../lab/paths.ts";

const port = 18090;
/** Address of the server outside the cluster. */
export const outside = `http://${controlAddress}:${port}/`;

const server = `
import { createServer } from "node:http";
createServer((request, response) => response.end(request.socket.remoteAddress + "\\n"))
  .listen(${port}, "${controlAddress}", () => console.log("ready"));
process.stdin.resume().on("end", () => process.exit());`;

/** Runs a step while a server on the external network tells whoever asks it the address it sees. */
export async function withServerOutside<T>(step: () => Promise<T>): Promise<T> {
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
