import { keyFiles } from "../../model/files/keys.ts";
import type { ClusterPlan } from "../../model/plan.ts";

/**
 * The text of one file of a node.
 * @param place `NODE:PATH`
 * @throws Error naming the nodes or the node's files where there is none
 */
export function fileText({ nodes, settings }: ClusterPlan, place: string): string {
  const [, name = place, path = ""] = /^([^:]*):(.*)$/s.exec(place) ?? [];
  const node = nodes.find((node) => node.name === name);
  if (node === undefined) {
    throw new Error(`--file: no node ${name}; nodes: ${nodes.map(({ name }) => name).join(", ")}`);
  }
  if (Object.hasOwn(keyFiles(settings, node.role), path)) {
    throw new Error(`--file: ${path} is a key or certificate, which pulumi up makes and no plan knows`);
  }
  if (!Object.hasOwn(node.files, path)) {
    const paths = Object.keys(node.files).sort();
    throw new Error(`--file: ${name} has no file "${path}"; its files:\n  ${paths.join("\n  ")}`);
  }
  return node.files[path]!.content;
}
