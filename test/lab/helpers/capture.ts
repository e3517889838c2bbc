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

/** How many of the echo requests that an action sends a router took in and let out on its subnets, addresses unchanged. */
export async function echoesThroughRouter(
  router: string,
  { from, to }: { from: string; to: string },
  requests: number,
  action: () => Promise<unknown>,
): Promise<{ in: number; out: number }> {
  const prefix = ["ip", "netns", "exec", `qrouter-${router}`, "sh", "-c"];
  const filter = `icmp[icmptype] == icmp-echo and src host ${from} and dst host ${to}`;
  const lines = await captured(prefix, { on: "any", filter, packets: 2 * requests }, action);
  const passed = (direction: "In" | "Out"): number =>
    lines.filter((line) =>
      new RegExp(`qr-\\S+ +${direction} +IP ${from} > ${to}: ICMP echo request`).test(line),
    ).length;
  return { in: passed("In"), out: passed("Out") };
}
