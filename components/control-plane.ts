import * as pulumi from "@pulumi/pulumi";
import { Node, type NodeSurroundings } from "./node.ts";

/** The control plane: the node with etcd, API server, controller manager and scheduler. */
export class ControlPlane extends pulumi.ComponentResource {
  readonly node: Node;

  constructor(name: string, args: NodeSurroundings, opts?: pulumi.ComponentResourceOptions) {
    super("openstack-kubernetes:nodes:ControlPlane", name, {}, opts);
    const node = args.plan.controlPlane;
    this.node = new Node(`${name}-${node.name}`, { ...args, node }, { parent: this });
    this.registerOutputs({});
  }
}
