// What destroy/leftovers.sh does where there is something to be done. The engine notes what it is about to make, and its
// id when that is there; killed in between it leaves what it does not know, and a destroy would leave that too.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LocalWorkspace } from "@pulumi/pulumi/automation/index.js";
import { command, UserError } from "../cli/command.ts";
import { nameOf, stateOf, type StateResource } from "../cli/stack-state.ts";
import { kinds } from "../components/leftover-kinds.ts";
import { OpenStackApi, reasonOf } from "../components/openstack-api.ts";

/** Logs in as the state says that the stack's resources were made, which a plugin of OpenStack does; that wants an engine. */
async function login(resources: readonly StateResource[]): Promise<OpenStackApi> {
  const provider = resources.find(({ type }) => type === "pulumi:providers:openstack");
  const folder = await mkdtemp(join(tmpdir(), "openstack-kubernetes-login-"));
  try {
    let api: OpenStackApi | undefined;
    const stack = await LocalWorkspace.createStack(
      {
        projectName: "login",
        stackName: "login",
        program: async () => {
          api = await OpenStackApi.connect();
        },
      },
      {
        workDir: folder,
        envVars: {
          PULUMI_BACKEND_URL: `file://${folder}`,
          PULUMI_CONFIG_PASSPHRASE: "the folder goes at once",
        },
      },
    );
    const settings = Object.entries(provider?.inputs ?? {}).filter(([, value]) => typeof value === "string");
    await stack.setAllConfig(
      Object.fromEntries(
        settings.map(([key, value]) => [`openstack:${key}`, { value: value as string, secret: true }]),
      ),
    );
    await stack.preview();
    return api!;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

await command(async () => {
  const { resources, begun } = await stateOf(process.env.STACK!);
  const unknown = begun.filter(({ type }) => type in kinds);
  if (unknown.length === 0) return;
  try {
    const cloud = await login(resources);
    for (const resource of unknown.reverse()) {
      const gone = await kinds[resource.type]!.remove(cloud, resource.inputs);
      if (gone.length > 0)
        console.log(`${nameOf(resource)}: took away what a killed run had begun: ${gone.join(", ")}`);
    }
  } catch (error) {
    const names = unknown.map(nameOf).join(", ");
    throw new UserError(
      `A killed run had begun these, and OpenStack could not be asked to take them away: ${names}\n${reasonOf(error)}`,
    );
  }
});
