import { parseArgs } from "node:util";
import { execa } from "execa";
import { resourceNamed } from "../client/machines.ts";
import { inLabRun } from "../client/run.ts";
import { labSettings, mustSucceed, Stack, type LabSettings } from "../client/stack.ts";
import { repo } from "../paths.ts";
import { phase } from "../phase.ts";
import type { Limit, LimitRequest } from "./limit.ts";
import { phasesOf, type Phase } from "./phases.ts";
import { publish } from "./publish.ts";
import { table } from "./table.ts";

const name = "bench";

interface Outputs {
  inventory: Record<string, { role: string; address: string }>;
}

interface Connection {
  user: string;
  privateKey: string;
  hostKey: string;
}

const measureLimit = async (request: LimitRequest): Promise<Limit> =>
  JSON.parse(
    await inLabRun(["node", `${repo}/lab/bench/limit.ts`], { input: JSON.stringify(request) }),
  ) as Limit;

/** What the stack's nodes were made of, to make the same by hand. */
async function sameByHand(stack: Stack, settings: LabSettings): Promise<LimitRequest> {
  const resources = await stack.resources();
  const { inventory } = await stack.outputs<Outputs>();
  const names = Object.keys(inventory).sort((a, b) => roleOrder(inventory[a]!) - roleOrder(inventory[b]!));
  const { create, stdin, connection } = resourceNamed(resources, `-${names[0]}-converge`).inputs;
  const { user, privateKey, hostKey } = connection as Connection;
  return {
    ...surroundings(settings),
    guests: names.map((node) => ({
      name: node,
      address: inventory[node]!.address,
      flavor: settings.nodes[node]!.flavor ?? settings.machine.flavor,
      userData: String(resourceNamed(resources, `-${node}-instance`).inputs.userData),
    })),
    installation: {
      ...{ user, privateKey, hostKey },
      ...{ command: String(create), input: String(stdin) },
      folder: stack.folder,
    },
  };
}

const roleOrder = ({ role }: { role: string }): number => (role === "control-plane" ? 0 : 1);

const surroundings = ({ machine, network }: LabSettings) => ({
  image: machine.image,
  externalNetwork: network.externalNetwork,
  nodeNetwork: network.nodeNetwork ?? "10.0.0.0/24",
});

const s = (seconds: number): string => seconds.toFixed(1);

function report(phases: readonly Phase[], total: number, limit: Limit): string {
  const { guests, installation = 0 } = limit;
  const least = guests + installation;
  return [
    table([
      ["phase of pulumi up", "begin", "end", "seconds", "adds"],
      ...phases.map((p) => [p.name, s(p.begin), s(p.end), s(p.end - p.begin), s(p.adds)]),
      ["pulumi up", "", s(total), s(total), s(total)],
    ]),
    "",
    table([
      ["limit", "seconds"],
      ["the same guests by bare calls, until SSH answers", s(guests)],
      ["the control plane's installation alone", s(installation)],
      ["limit", s(least)],
    ]),
    "",
    `ratio: ${(total / least).toFixed(2)} (${s(total)} s to ${s(least)} s)`,
  ].join("\n");
}

/**
 * How long `pulumi up` takes on the lab, phase by phase, and how close that is to what no installer can go below.
 * Builds a cluster of its own with the settings of Pulumi.lab.yaml, and takes it away again.
 */
export async function benchUp(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { runtime: { type: "string", default: "containerd" } } });
  await execa("node", ["lab/main.ts", "start"], { cwd: repo, stdio: "inherit" });
  const settings = { ...(await labSettings()), runtime: values.runtime };
  settings.cluster = { ...settings.cluster, name };
  // The first guest of an image pays for the copy that Nova keeps of it.
  await phase("a guest ahead, so that Nova has the image", () =>
    measureLimit({
      ...surroundings(settings),
      guests: [
        {
          ...{ name: "ahead", address: "10.0.0.10", userData: "#cloud-config\n" },
          flavor: settings.machine.flavor,
        },
      ],
    }),
  );
  const stack = await Stack.create(name, settings);
  const run = await phase("pulumi up", async () => mustSucceed(stack, await stack.up()), stack.log);
  const request = await sameByHand(stack, settings);
  await phase("pulumi destroy", () => stack.destroyRest(), stack.log);
  const limit = await phase("the same by hand", () => measureLimit(request));

  const phases = phasesOf(run);
  const figures = { seconds: run.seconds, phases, limit };
  await publish("up", settings, report(phases, run.seconds, limit), figures);
}
