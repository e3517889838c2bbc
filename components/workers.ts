import * as pulumi from "@pulumi/pulumi";
import type { ControlPlane } from "./control-plane.ts";
import { Node, type NodeSurroundings } from "./node.ts";

export interface WorkersArgs extends NodeSurroundings {
  controlPlane: ControlPlane;
}

/** The nodes that run pods. */
export class Workers extends pulumi.ComponentResource {
  readonly nodes: Node[];

  constructor(name: string, { controlPlane, ...args }: WorkersArgs, opts?: pulumi.ComponentResourceOptions) {
    super("openstack-kubernetes:nodes:Workers", name, {}, opts);
    this.nodes = args.plan.workers.map(
      (node) =>
        new Node(
          `${name}-${node.name}`,
          { ...args, node, controlPlane: controlPlane.node },
          { parent: this },
        ),
    );
    this.registerOutputs({});
  }
}
