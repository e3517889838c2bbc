import type {
  RegisterResourceOutputsRequest,
  RegisterResourceRequest,
} from "@pulumi/pulumi/proto/resource_pb.js";
import * as pulumi from "@pulumi/pulumi";
import type { MockMonitor, MockResourceArgs } from "@pulumi/pulumi/runtime/mocks.js";
import { specialSecretSig, specialSigKey, unknownValue } from "@pulumi/pulumi/runtime/rpc.js";
import * as runtime from "@pulumi/pulumi/runtime/settings.js";

// Internal to the SDK, so its types do not have it.
const { waitForRPCs } = runtime as unknown as { waitForRPCs: () => Promise<void> };

/** A resource as the program asked the engine for it. */
export interface Registered {
  type: string;
  name: string;
  urn: string;
  custom: boolean;
  parent?: string;
  /** Names of all that has to be there before, by dependsOn or by an input. */
  dependencies: string[];
  deletedWith?: string;
  deleteBeforeReplace: boolean;
  replaceOnChanges: string[];
  ignoreChanges: string[];
  protect: boolean;
  /** Names that it had before. */
  aliases: string[];
  provider?: string;
  /** Inputs as sent: secrets as `Secret`, what a preview does not know as `unknown`. */
  inputs: Record<string, unknown>;
  /** What it gave to registerOutputs, for a component. */
  outputs?: Record<string, unknown>;
}

/** An input that is a secret. */
export class Secret {
  readonly value: unknown;
  constructor(value: unknown) {
    this.value = value;
  }
}

/** An input that a preview does not know. */
export const unknown = "<unknown>";

export interface RunOptions {
  preview?: boolean;
  /** Whether the outputs of a resource are known; in a preview none are, unless this says so. */
  isKnown?: (resource: Omit<Registered, "urn">) => boolean;
  /** Answers of the cloud's data sources. */
  call?: (token: string, inputs: Record<string, unknown>) => Record<string, unknown>;
  config?: Record<string, string>;
  /** Where to keep the resources, for a program that fails. */
  resources?: Registered[];
}

/**
 * Runs a program under mocks that keep every request as it is sent, with parents, order and secrets, which plain
 * mocks leave out.
 */
export async function run<T>(
  program: () => T | Promise<T>,
  {
    preview = false,
    isKnown = () => !preview,
    call = () => ({}),
    config = {},
    resources = [],
  }: RunOptions = {},
): Promise<{ resources: Registered[]; result: T }> {
  const secretOutputs = new Map<string, string[]>();
  const known = new Set<string>();
  const newResource = ({ type, name, inputs }: MockResourceArgs) =>
    known.has(name)
      ? { id: `${name}-id`, state: { ...inputs, ...outputsOf(type, name, secretOutputs.get(name) ?? []) } }
      : { id: undefined, state: inputs };
  await pulumi.runtime.setMocks(
    { newResource, call: ({ token, inputs }) => answer(() => call(token, inputs)) },
    "openstack-kubernetes",
    "test",
    preview,
    "organization",
  );
  pulumi.runtime.setAllConfig(config);

  const monitor = runtime.getMonitor() as unknown as MockMonitor;
  const { registerResource, registerResourceOutputs } = monitor;
  monitor.registerResource = async (request: RegisterResourceRequest, callback) => {
    const resource = registered(request);
    secretOutputs.set(resource.name, request.getAdditionalsecretoutputsList());
    if (isKnown(resource)) known.add(resource.name);
    await registerResource.call(monitor, request, (error: unknown, response) => {
      if (!error) resources.push({ ...resource, urn: response.getUrn() });
      callback(error, response);
    });
  };
  // Mocks know no hooks; none is called, since nothing is made.
  Object.assign(monitor, {
    registerResourceHook: (_request: unknown, callback: (error: null, response: object) => void) =>
      callback(null, {}),
  });
  monitor.registerResourceOutputs = (request: RegisterResourceOutputsRequest, callback) => {
    const resource = resources.find(({ urn }) => urn === request.getUrn());
    if (resource) resource.outputs = readable(request.getOutputs()?.toJavaScript() ?? {});
    registerResourceOutputs.call(monitor, request, callback);
  };

  const result = await program();
  await waitForRPCs();
  return { resources, result };
}

/** Errors of a provider arrive with their text as the details of a gRPC error. */
function answer(call: () => Record<string, unknown>): Record<string, unknown> {
  try {
    return call();
  } catch (error) {
    throw Object.assign(error as Error, { details: (error as Error).message });
  }
}

function registered(request: RegisterResourceRequest): Omit<Registered, "urn"> {
  return {
    type: request.getType(),
    name: request.getName(),
    custom: request.getCustom(),
    parent: nameOf(request.getParent()),
    dependencies: request.getDependenciesList().map((dependency) => nameOf(dependency)!),
    deletedWith: nameOf(request.getDeletedwith()),
    deleteBeforeReplace: request.getDeletebeforereplace(),
    replaceOnChanges: request.getReplaceonchangesList(),
    ignoreChanges: request.getIgnorechangesList(),
    protect: request.getProtect() ?? false,
    aliases: request.getAliasesList().map((alias) => alias.getSpec()?.getName() ?? alias.getUrn()),
    provider: nameOf(request.getProvider().split("::").slice(0, 4).join("::")),
    inputs: readable(request.getObject()?.toJavaScript() ?? {}),
  };
}

function nameOf(urn: string): string | undefined {
  return urn === "" ? undefined : urn.split("::").at(-1);
}

function readable<T>(value: T): T {
  return convert(value) as T;
}

function convert(value: unknown): unknown {
  if (value === unknownValue) return unknown;
  if (Array.isArray(value)) return value.map(convert);
  if (typeof value !== "object" || value === null) return value;
  const object = value as Record<string, unknown>;
  if (object[specialSigKey] === specialSecretSig) return new Secret(convert(object.value));
  return Object.fromEntries(Object.entries(object).map(([key, inner]) => [key, convert(inner)]));
}

/** When every certificate under mocks ends. */
export const validityEndTime = "2099-12-31T12:00:00Z";

/** What a provider would add to the inputs; recognisable, so that a test can tell where it ended up. */
function outputsOf(type: string, name: string, secret: string[]): Record<string, unknown> {
  const outputs: Record<string, Record<string, unknown>> = {
    "tls:index/privateKey:PrivateKey": {
      privateKeyPem: `private key of ${name}\n`,
      privateKeyOpenssh: `private SSH key of ${name}\n`,
      publicKeyPem: `public key of ${name}\n`,
      publicKeyOpenssh: `ssh-key ${name}\n`,
    },
    "tls:index/certRequest:CertRequest": { certRequestPem: `request of ${name}\n` },
    "tls:index/selfSignedCert:SelfSignedCert": { certPem: `certificate ${name}\n`, validityEndTime },
    "tls:index/locallySignedCert:LocallySignedCert": { certPem: `certificate ${name}\n`, validityEndTime },
    "openstack:networking/floatingIp:FloatingIp": { address: `address of ${name}` },
    "openstack:loadbalancer/loadBalancer:LoadBalancer": {
      vipAddress: `vip of ${name}`,
      vipPortId: `vip-port of ${name}`,
    },
    "command:remote:Command": { stdout: "", stderr: "" },
  };
  return Object.fromEntries(
    Object.entries(outputs[type] ?? {}).map(([key, value]) => [
      key,
      secret.includes(key) ? pulumi.secret(value) : value,
    ]),
  );
}
