import { execa } from "execa";
import { repo } from "../../../lab/paths.ts";
import { patience } from "./patience.ts";

/**
 * Packets that tcpdump sees while an action runs, a line for each.
 * @param prefix what runs a command line in the right place, by `lab/run`
 */
export async function captured(
  prefix: readonly string[],
  { on, filter, packets }: { on: string; filter: string; packets: number },
  action: () => Promise<unknown>,
): Promise<string[]> {
  // tcpdump ends by itself after the packets that it waits for.
  const command = `sudo -n timeout ${30 * patience} tcpdump -Z root -n -l --immediate-mode -i ${on} -c ${packets} '${filter}'`;
  const tcpdump = execa(`${repo}/lab/run`, [...prefix, command], {
    cwd: repo,
    stdin: "ignore",
    reject: false,
  });
  await new Promise<void>((resolve, reject) => {
    tcpdump.stderr.on("data", (text) => {
      if (String(text).includes("listening on")) resolve();
    });
    void tcpdump.then(({ stderr }) => reject(new Error(`tcpdump did not start: ${stderr}`)));
  });
  await action();
  const { stdout } = await tcpdump;
  return stdout.split("\n").filter((line) => line !== "");
}
