import { checkInput, checkNode } from "../../model/commands.ts";
import { unitsOf } from "../../model/units.ts";
import type { Machine } from "../machines.ts";
import { onMachine } from "../ssh.ts";
import { replacing, type Finding } from "./finding.ts";

/** Looks at a machine: its files, its units, and on a control plane the nodes that the API knows. */
export async function nodeFindings(machine: Machine, nodes: readonly string[]): Promise<Finding[]> {
  const { name, files, connection, resources } = machine;
  const input = checkInput(files, unitsOf(files));
  try {
    return findingsIn(await onMachine(connection, (run) => run(checkNode, { input })), machine, nodes);
  } catch (error) {
    const again = `pulumi up ${replacing(resources.instance).join(" ")}`;
    return [
      {
        node: name,
        what: `cannot be looked at: ${(error as Error).message}`,
        advice: `openstack console log show ${name}; a machine beyond help is made anew by ${again}`,
      },
    ];
  }
}

/** What a machine has answered to `checkNode`. */
export function findingsIn(
  answer: string,
  { name, resources: { converge } }: Pick<Machine, "name" | "resources">,
  nodes: readonly string[],
): Finding[] {
  const ready = new Map<string, string>();
  const findings = answer.split("\n").flatMap((line): Finding[] => {
    const [kind = "", what = "", status = ""] = line.split(" ");
    const again = { node: name, repair: replacing(converge) };
    switch (kind) {
      case "missing":
        return [{ ...again, what: `${what} is missing` }];
      case "changed":
        return [{ ...again, what: `${what} is not as the stack has it` }];
      case "mode":
        return [{ ...again, what: `${what} has other permissions` }];
      case "stopped":
        return [{ ...again, what: `${what} does not run` }];
      case "failed":
        return [{ node: name, what: `${what} has failed`, advice: `journalctl -u ${what} there` }];
      case "silent":
        return [{ node: name, what: "the API does not answer", advice: "journalctl -u kubelet there" }];
      case "node":
        ready.set(what, status);
    }
    return [];
  });
  return [...findings, ...(ready.size > 0 ? membershipFindings(ready, nodes) : [])];
}

/** @param ready status of the condition Ready of each node that the API knows */
function membershipFindings(ready: Map<string, string>, nodes: readonly string[]): Finding[] {
  const strangers = [...ready.keys()].filter((node) => !nodes.includes(node));
  return [
    ...nodes.flatMap((node): Finding[] => {
      const advice = "journalctl -u kubelet there";
      if (!ready.has(node)) return [{ node, what: "is no node of the cluster", advice }];
      return ready.get(node) === "True" ? [] : [{ node, what: "is not Ready", advice }];
    }),
    ...strangers.map((node) => ({
      node,
      what: "is a node of the cluster and not of the stack",
      advice: `kubectl delete node ${node}`,
    })),
  ];
}
