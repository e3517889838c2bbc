import * as command from "@pulumi/command";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import { ansibleInventory } from "../model/ansible-inventory.ts";
import { readyInput, waitUntilReady } from "../model/commands.ts";
import { kubeconfig } from "../model/files/kubeconfig.ts";
import type { ClusterPlan } from "../model/plan.ts";
import { AddressPairs } from "./address-pairs.ts";
import { Certificates } from "./certificates.ts";
import { ControlPlane } from "./control-plane.ts";
import { CoreDns } from "./coredns.ts";
import { FloatingAddresses } from "./floating-addresses.ts";
import type { CloudIds } from "./lookups.ts";
import { Network, type NodeNetwork } from "./network.ts";
import { PodRoutes } from "./pod-routes.ts";
import { SecurityGroups } from "./security-groups.ts";
import { Workers } from "./workers.ts";

/** What a machine of the cluster is called and where it is. */
export interface InventoryEntry {
  role: string;
  address: string;
  podNetwork: string;
  floatingAddress: pulumi.Output<string>;
  instanceId: pulumi.Output<string>;
}

export interface ClusterArgs {
  plan: ClusterPlan;
  cloud: CloudIds;
}

/** A Kubernetes cluster on OpenStack machines, its pods routed by Neutron or by flannel. */
export class Cluster extends pulumi.ComponentResource {
  /** Kubeconfig of the administrator, a secret. */
  readonly kubeconfig: pulumi.Output<string>;
  readonly endpoints: { api: pulumi.Output<string> };
  /** The nodes by name. */
  readonly inventory: Record<string, InventoryEntry>;
  /** The same for Ansible. */
  readonly ansibleInventory: ReturnType<typeof ansibleInventory<pulumi.Output<string>>>;

  constructor(name: string, { plan, cloud }: ClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("openstack-kubernetes:index:Cluster", name, {}, opts);
    const parent = { parent: this };
    const { cluster } = plan.settings;

    const { externalNetworkId, securityGroupIds, existingNetwork } = cloud;
    const network: NodeNetwork = existingNetwork
      ? { ...existingNetwork, leadsOut: [] }
      : new Network(`${name}-network`, { plan, externalNetworkId }, parent);
    const securityGroups = new SecurityGroups(`${name}-security-groups`, { plan }, parent);
    const addressPairs = new AddressPairs(
      `${name}-address-pairs`,
      { plan, network, securityGroups, securityGroupIds },
      parent,
    );
    const { addresses } = new FloatingAddresses(
      `${name}-floating-addresses`,
      { plan, network, addressPairs },
      parent,
    );
    const podRoutes = plan.routing.byRouter
      ? [new PodRoutes(`${name}-pod-routes`, { plan, network, addressPairs }, parent)]
      : [];

    const apiAddress = addresses[plan.controlPlane.name]!.address;
    const certificates = new Certificates(`${name}-certificates`, { plan, apiAddress }, parent);
    const sshKey = new tls.PrivateKey(`${name}-ssh-key`, { algorithm: "ED25519" }, parent);
    const surroundings = {
      plan,
      network,
      imageIds: cloud.imageIds,
      ports: addressPairs.ports,
      floatingAddresses: addresses,
      sshKey,
      certificates,
    };
    const controlPlane = new ControlPlane(`${name}-control-plane`, surroundings, parent);
    const workers = new Workers(`${name}-workers`, { ...surroundings, controlPlane }, parent);
    const nodes = [controlPlane.node, ...workers.nodes];

    const { admin } = certificates.certificates;
    this.endpoints = { api: pulumi.interpolate`https://${apiAddress}:${cluster.apiPort}` };
    this.kubeconfig = pulumi
      .all([
        this.endpoints.api,
        certificates.authorities.kubernetes.certificate.certPem,
        admin.certificatePem,
        admin.keyPem,
      ])
      .apply(([server, authority, certificate, key]) =>
        kubeconfig({
          server,
          cluster: cluster.name,
          user: `${cluster.name}-admin`,
          authority: { data: base64(authority) },
          certificate: { data: base64(certificate) },
          key: { data: base64(key) },
        }),
      );

    const provider = new kubernetes.Provider(
      `${name}-kubernetes`,
      // The identifier keeps a kubeconfig that a preview does not know yet from meaning another cluster.
      { kubeconfig: this.kubeconfig, clusterIdentifier: cluster.name, deleteUnreachable: true },
      { ...parent, dependsOn: [controlPlane.node.converge], deletedWith: controlPlane.node.instance },
    );
    const coreDns = new CoreDns(
      `${name}-coredns`,
      { plan },
      { ...parent, providers: { kubernetes: provider }, deletedWith: controlPlane.node.instance },
    );

    new command.remote.Command(
      `${name}-ready`,
      {
        connection: controlPlane.node.connection,
        create: waitUntilReady,
        stdin: readyInput(plan.nodes),
        // A machine made anew, or with new keys, has to prove itself again.
        triggers: [nodes.map((node) => node.converge.id)],
        addPreviousOutputInEnv: false,
      },
      {
        ...parent,
        dependsOn: [...nodes.map((node) => node.converge), ...podRoutes, coreDns],
        deletedWith: controlPlane.node.instance,
      },
    );

    this.inventory = Object.fromEntries(
      plan.nodes.map(({ name, role, address, podNetwork }, index) => [
        name,
        {
          role,
          address,
          podNetwork,
          floatingAddress: addresses[name]!.address,
          instanceId: nodes[index]!.instance.id,
        },
      ]),
    );
    this.ansibleInventory = ansibleInventory(plan.nodes, plan.settings.ssh.user, this.inventory);
    this.registerOutputs({ endpoints: this.endpoints, inventory: this.inventory });
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
