import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { LocalWorkspace } from "@pulumi/pulumi/automation/index.js";
import type { StateResource } from "../cli/stack-state.ts";
import { OpenStackApi } from "../components/openstack-api.ts";

/** The plugin with settings as a state has them, where all of them are texts. */
class Plugin extends pulumi.ProviderResource {}

/**
 * Logs in to OpenStack as the run did that made a stack's resources: by the plugin, with the settings that the state
 * has for it. A plugin wants an engine, so there is a preview of a stack that has nothing else and is forgotten.
 */
export async function login(resources: readonly StateResource[]): Promise<OpenStackApi> {
  const { inputs = {} } = resources.find(({ type }) => type === "pulumi:providers:openstack") ?? {};
  const { __internal, ...settings } = inputs;
  let api: OpenStackApi | undefined;
  const program = async () => {
    const provider = new Plugin("openstack", "login", settings);
    api = await OpenStackApi.connect({ provider });
  };
  const folder = await mkdtemp(join(tmpdir(), "openstack-kubernetes-login-"));
  try {
    const envVars = { PULUMI_BACKEND_URL: `file://${folder}`, PULUMI_CONFIG_PASSPHRASE: "nothing to hide" };
    const stack = await LocalWorkspace.createStack(
      { projectName: "login", stackName: "login", program },
      { workDir: folder, envVars },
    );
    await stack.preview();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return api!;
}
