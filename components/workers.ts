import * as pulumi from "@pulumi/pulumi";
import type { ControlPlane } from "./control-plane.ts";
import { Node, type NodeSurroundings } from "./node.ts";

export interface WorkersArgs extends NodeSurroundings {
  controlPlane: ControlPlane;
}

/** The nodes that run pods. */
export class Workers extends pulumi.ComponentResource {
  readonly nodes: Node[];

  /**
   * New nodes come all at once. Those that are there change one after the other, `rollout.maxUnavailable` at a time: a
   * node has its turn once the engine is through with the one before it. That is no dependency, by which nodes would
   * also go one after the other.
   */
  constructor(name: string, { controlPlane, ...args }: WorkersArgs, opts?: pulumi.ComponentResourceOptions) {
    super("openstack-kubernetes:nodes:Workers", name, {}, opts);
    const { workers, settings } = args.plan;
    const changing = [controlPlane.node];
    this.nodes = workers.map((node) => {
      const exists = args.existingNodes.includes(node.name);
      const before = changing.at(-settings.rollout.maxUnavailable) ?? controlPlane.node;
      const worker = new Node(
        `${name}-${node.name}`,
        { ...args, node, controlPlane: controlPlane.node, turn: exists ? before.settled() : undefined },
        { parent: this },
      );
      if (exists) changing.push(worker);
      return worker;
    });
    this.registerOutputs({});
  }
}
