import { unpack } from "../../model/bundle.ts";
import { Secret, type Registered } from "./monitor.ts";

// Checks over a whole graph, whatever is in it; each gives the complaints, so that a planted fault can be shown to.

/** The names of the nodes' components in `stackSettings`, the control plane's first. */
export const nodeNames = ["demo-control-plane-cp-1", "demo-workers-worker-1", "demo-workers-worker-2"];

/** Beginnings of what the mocks' private keys hold, as text and in a kubeconfig. */
const keyTexts = [
  "private key of",
  "private SSH key of",
  Buffer.from("private key of").toString("base64").slice(0, 16),
];

/** As gzip begins, in Base64. */
const isPacked = (text: string) => text.startsWith("H4sI");

/** Whether a text is somewhere in a value outside of secrets. */
function openly(value: unknown, text: string): boolean {
  if (value instanceof Secret) return false;
  if (typeof value === "string")
    return (isPacked(value) ? JSON.stringify(unpack(value)) : value).includes(text);
  if (typeof value !== "object" || value === null) return false;
  return Object.values(value).some((inner) => openly(inner, text));
}

/** Where a private key can be read by whoever sees a preview or the state. */
export function openKeys(resources: readonly Registered[]): string[] {
  return resources.flatMap(({ name, inputs, outputs }) =>
    Object.entries({ inputs, outputs })
      .filter(([, values]) => keyTexts.some((text) => openly(values, text)))
      .map(([kind]) => `a private key is open in the ${kind} of ${name}`),
  );
}

/** The instance with which a resource goes: what is on a machine with that, what is in the cluster with the control plane's. */
function goesWith({ name, type, custom }: Registered): string | undefined {
  if (!custom) return undefined;
  const node = nodeNames.find((one) => name === `${one}-converge`);
  if (node !== undefined) return `${node}-instance`;
  const isInside =
    type.startsWith("kubernetes:") ||
    name.endsWith("-membership") ||
    name === "demo-ready" ||
    name === "demo-kubernetes";
  return isInside ? `${nodeNames[0]!}-instance` : undefined;
}

/** What a `pulumi destroy` would take away one by one, or fail to, instead of with the machine that it is on. */
export function outlivesMachine(resources: readonly Registered[]): string[] {
  return resources
    .map((resource) => ({ ...resource, machine: goesWith(resource) }))
    .filter(({ machine, deletedWith }) => machine !== undefined && deletedWith !== machine)
    .map(({ name, machine }) => `${name} is not deleted with ${machine}`);
}
