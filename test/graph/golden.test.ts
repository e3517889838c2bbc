import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { Document, isCollection, visit } from "yaml";
import type { CloudIds } from "../../components/lookups.ts";
import { stackSettings } from "../helpers/cluster.ts";
import { cloud, registerCluster } from "../helpers/graph.ts";
import { Secret, type Registered } from "../helpers/monitor.ts";
import { allSettings } from "./all-settings.ts";

// The whole resource graph of example stacks, in files that a pull request shows. `npx vitest run test/graph/golden -u`
// writes them anew.

const { "cp-1": controlPlane, "worker-1": worker } = stackSettings.nodes;
const twoNodes = { nodes: { "cp-1": controlPlane, "worker-1": worker } };
const existing = { network: "office", subnet: "office-a", router: "gate" };

const examples: Record<string, { settings: Record<string, unknown>; cloud?: CloudIds }> = {
  "three-nodes": { settings: {} },
  "phase-machines": { settings: { ...twoNodes, phase: "machines" } },
  "phase-docker": { settings: { ...twoNodes, phase: "docker" } },
  "docker-runtime": { settings: { ...twoNodes, runtime: "docker" } },
  flannel: { settings: { ...twoNodes, network: { ...stackSettings.network, routing: "flannel" } } },
  "existing-network": {
    settings: { ...twoNodes, network: { ...stackSettings.network, existing } },
    cloud: {
      ...cloud,
      existingNetwork: { networkId: "network-id", subnetId: "subnet-id", routerId: "router-id" },
    },
  },
  "all-settings": {
    settings: { ...twoNodes, ...allSettings },
    cloud: { ...cloud, securityGroupIds: { office: "office-id" } },
  },
};

/** Texts of longer or more lines are told by their digest. */
const longest = { characters: 100, lines: 8 };
/** What fits is on one line. */
const lineWidth = 160;

/** A resource as it is written down; what it does not have is left out. */
function described({ name: _name, urn: _urn, custom: _custom, outputs: _outputs, ...resource }: Registered) {
  const { type, parent, dependencies, deletedWith, deleteBeforeReplace, replaceOnChanges, inputs } = resource;
  const provider = type.startsWith("kubernetes:") ? resource.provider : undefined;
  return without({
    type,
    parent,
    dependsOn: [...dependencies].sort(),
    deletedWith,
    deleteBeforeReplace: deleteBeforeReplace || undefined,
    replaceOnChanges,
    protect: resource.protect || undefined,
    provider,
    inputs: without(readable(inputs) as object),
  });
}

function without(fields: object): object {
  const isEmpty = (value: unknown) =>
    value === undefined || (typeof value === "object" && value !== null && Object.keys(value).length === 0);
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => !isEmpty(value)));
}

function readable(value: unknown): unknown {
  if (value instanceof Secret) return "[secret]";
  if (typeof value === "string") return shortened(value);
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value !== "object" || value === null) return value;
  const paths = Object.keys(value);
  // The files of a node, whose texts are in test/render/snapshots.
  if (paths.length > 0 && paths.every((path) => path.startsWith("/"))) return paths.sort();
  return Object.fromEntries(
    paths.sort().map((key) => [key, readable((value as Record<string, unknown>)[key])]),
  );
}

function shortened(text: string): string {
  const plain = text.replaceAll(/\b[0-9a-f]{64}\b/g, "<sha256>").trimEnd();
  const lines = plain.split("\n");
  const isShort = lines.length <= longest.lines && lines.every((line) => line.length <= longest.characters);
  if (isShort) return plain;
  const digest = createHash("sha256").update(text).digest("hex").slice(0, 12);
  return `[text, sha256 ${digest}]`;
}

function graphText(resources: Registered[]): string {
  const sorted = [...resources].sort((a, b) => (a.name < b.name ? -1 : 1));
  const document = new Document(
    Object.fromEntries(sorted.map((resource) => [resource.name, described(resource)])),
    {
      aliasDuplicateObjects: false,
    },
  );
  visit(document, {
    Collection: (_, node) => {
      if (JSON.stringify(node.toJSON()).length <= lineWidth && isCollection(node)) node.flow = true;
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

describe("the resource graph", () => {
  it.each(Object.entries(examples))("of %s is as committed", async (name, { settings, cloud }) => {
    const { resources } = await registerCluster(settings, false, cloud);
    const text = graphText(resources);
    expect(text).not.toMatch(/private (SSH )?key of/);
    await expect(text).toMatchFileSnapshot(`${name}.yaml`);
  });
});
