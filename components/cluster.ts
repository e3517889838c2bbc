import * as command from "@pulumi/command";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import { ansibleInventory } from "../model/ansible-inventory.ts";
import { nodeCertificate } from "../model/certificates.ts";
import { readyInput, waitUntilReady } from "../model/commands.ts";
import { kubeconfig } from "../model/files/kubeconfig.ts";
import { includes } from "../model/phases.ts";
import type { ClusterPlan } from "../model/plan.ts";
import { AddressPairs } from "./address-pairs.ts";
import { Certificates } from "./certificates.ts";
import { ControlPlane } from "./control-plane.ts";
import { CoreDns } from "./coredns.ts";
import { destroyLeftovers } from "./destroy-leftovers.ts";
import { FloatingAddresses } from "./floating-addresses.ts";
import { LoadBalancer } from "./load-balancer.ts";
import type { CloudIds } from "./lookups.ts";
import { Network, type NodeNetwork } from "./network.ts";
import { NodeLocalDns } from "./node-local-dns.ts";
import type { Node } from "./node.ts";
import { PodRoutes } from "./pod-routes.ts";
import { SecurityGroups } from "./security-groups.ts";
import { ServerGroups } from "./server-groups.ts";
import { Workers } from "./workers.ts";

/** What a machine of the cluster is called and where it is. */
export interface InventoryEntry {
  role: string;
  /** The pool that its node is of. */
  pool?: string;
  address: string;
  podNetwork: string;
  floatingAddress: pulumi.Output<string>;
  instanceId: pulumi.Output<string>;
}

/** What `docker` needs to speak to the nodes, as text of PEM. It means root on every node. */
export interface DockerClient {
  /** Authorities of the nodes' certificates; its own is of another. */
  ca: string;
  certificate: string;
  key: string;
}

export interface ClusterArgs {
  plan: ClusterPlan;
  cloud: CloudIds;
  /** What everything of OpenStack's waits for. */
  leftovers: pulumi.Resource;
}

/** What the last phase builds on. */
interface KubernetesArgs {
  plan: ClusterPlan;
  kubeconfig: pulumi.Output<string>;
  controlPlane: Node;
  nodes: Node[];
}

/** A Kubernetes cluster on OpenStack machines, its pods routed by Neutron or by flannel, as far as the settings' phase goes. */
export class Cluster extends pulumi.ComponentResource {
  /** Where Neutron routes pods. */
  readonly podRoutes?: PodRoutes;
  /** Docker's client certificate, a secret; from phase docker on. */
  readonly dockerClient?: pulumi.Output<DockerClient>;
  /** Kubeconfig of the administrator, a secret; from phase kubernetes on, as the API's address. */
  readonly kubeconfig?: pulumi.Output<string>;
  /** Addresses of the load balancers are by name. */
  readonly endpoints: { api?: pulumi.Output<string>; loadBalancers?: Record<string, pulumi.Output<string>> };
  /** The nodes by name. */
  readonly inventory: Record<string, InventoryEntry>;
  /** The same for Ansible. */
  readonly ansibleInventory: ReturnType<typeof ansibleInventory<pulumi.Output<string>>>;

  constructor(name: string, { plan, cloud, leftovers }: ClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("openstack-kubernetes:index:Cluster", name, {}, opts);
    const parent = { parent: this };
    const { cluster } = plan.settings;

    const { externalNetworkId, securityGroupIds, existingNetwork } = cloud;
    const securityGroups = new SecurityGroups(
      `${name}-security-groups`,
      { plan },
      { ...parent, dependsOn: leftovers },
    );
    const groups = Object.values(securityGroups.groups);
    const network: NodeNetwork = existingNetwork
      ? {
          ...existingNetwork,
          leftovers: destroyLeftovers(`${name}-network-leftovers`, { parent: this, dependsOn: groups }),
          leadsOut: [],
        }
      : new Network(
          `${name}-network`,
          { plan, externalNetworkId, groups },
          { ...parent, dependsOn: leftovers },
        );
    const addressPairs = new AddressPairs(
      `${name}-address-pairs`,
      { plan, network, securityGroups, securityGroupIds },
      { ...parent, dependsOn: network.leftovers },
    );
    const { addresses } = new FloatingAddresses(
      `${name}-floating-addresses`,
      { plan, network, addressPairs },
      parent,
    );
    if (plan.routing.byRouter)
      this.podRoutes = new PodRoutes(`${name}-pod-routes`, { plan, network, addressPairs }, parent);

    const apiAddress = addresses[plan.controlPlane.name]!.address;
    const certificates = new Certificates(`${name}-certificates`, { plan, apiAddress }, parent);
    const sshKey = new tls.PrivateKey(`${name}-ssh-key`, { algorithm: "ED25519" }, parent);
    const serverGroups =
      Object.keys(plan.serverGroups).length > 0
        ? new ServerGroups(`${name}-server-groups`, { plan }, { ...parent, dependsOn: leftovers }).groups
        : {};
    const { existingNodes, unbuiltNodes } = cloud;
    const surroundings = {
      plan,
      network,
      ports: addressPairs.ports,
      floatingAddresses: addresses,
      serverGroups,
      sshKey,
      certificates,
      existingNodes,
      unbuiltNodes,
    };
    const controlPlane = new ControlPlane(`${name}-control-plane`, surroundings, parent);
    const workers = new Workers(`${name}-workers`, { ...surroundings, controlPlane }, parent);
    const nodes = [controlPlane.node, ...workers.nodes];

    const { phase } = plan.settings;
    this.endpoints = {};
    if (includes(phase, "docker")) this.dockerClient = dockerClient(certificates);
    if (includes(phase, "kubernetes")) {
      const api = pulumi.interpolate`https://${apiAddress}:${cluster.apiPort}`;
      this.endpoints = { api };
      this.kubeconfig = adminKubeconfig(cluster.name, api, certificates);
      this.#runKubernetes(name, {
        plan,
        kubeconfig: this.kubeconfig,
        controlPlane: controlPlane.node,
        nodes,
      });
    }
    if (plan.loadBalancers.length > 0) {
      this.endpoints.loadBalancers = Object.fromEntries(
        plan.loadBalancers.map((balancer) => [
          balancer.name,
          new LoadBalancer(
            `${name}-load-balancer-${balancer.name}`,
            { plan, balancer, network },
            { ...parent, dependsOn: network.leftovers },
          ).address,
        ]),
      );
    }

    this.inventory = Object.fromEntries(
      plan.nodes.map(({ name, role, pool, address, podNetwork }, index) => [
        name,
        {
          role,
          ...(pool && { pool }),
          address,
          podNetwork,
          floatingAddress: addresses[name]!.address,
          instanceId: nodes[index]!.instance.id,
        },
      ]),
    );
    this.ansibleInventory = ansibleInventory(plan, this.inventory);
    this.registerOutputs({ endpoints: this.endpoints, inventory: this.inventory });
  }

  /** What is in the cluster, and the gate that it passes when all of it works. */
  #runKubernetes(name: string, { plan, kubeconfig, controlPlane, nodes }: KubernetesArgs): void {
    const inCluster = { parent: this, deletedWith: controlPlane.instance };
    const converged = nodes.flatMap(({ converge }) => converge ?? []);
    const updated = nodes.flatMap(({ membership }) => membership ?? []);
    const provider = new kubernetes.Provider(
      `${name}-kubernetes`,
      // The identifier keeps a kubeconfig that a preview does not know yet from meaning another cluster.
      { kubeconfig, clusterIdentifier: plan.settings.cluster.name, deleteUnreachable: true },
      { ...inCluster, dependsOn: controlPlane.membership },
    );
    const byProvider = { ...inCluster, providers: { kubernetes: provider } };
    const addOns: pulumi.Resource[] = [new CoreDns(`${name}-coredns`, { plan }, byProvider)];
    if (plan.settings.dns.nodeLocalCache)
      addOns.push(new NodeLocalDns(`${name}-node-local-dns`, { plan }, byProvider));
    new command.remote.Command(
      `${name}-ready`,
      {
        connection: controlPlane.connection,
        create: waitUntilReady,
        stdin: readyInput(plan.nodes),
        // A machine made anew has to prove itself again.
        triggers: [converged.map(({ id }) => id)],
        addPreviousOutputInEnv: false,
      },
      { ...inCluster, dependsOn: [...updated, ...(this.podRoutes ? [this.podRoutes] : []), ...addOns] },
    );
  }
}

/** The kubeconfig of the administrator. */
function adminKubeconfig(
  cluster: string,
  api: pulumi.Output<string>,
  { authorities, certificates: { admin } }: Certificates,
): pulumi.Output<string> {
  const pems = [authorities.kubernetes.trustedPem, admin.certificatePem, admin.keyPem] as const;
  return pulumi.secret(
    pulumi.all([api, ...pems]).apply(([server, authority, certificate, key]) =>
      kubeconfig({
        server,
        cluster,
        user: `${cluster}-admin`,
        authority: { data: base64(authority) },
        certificate: { data: base64(certificate) },
        key: { data: base64(key) },
      }),
    ),
  );
}

function dockerClient({ authorities, certificates }: Certificates): pulumi.Output<DockerClient> {
  const client = certificates["docker-client"];
  return pulumi.secret({
    ca: authorities[nodeCertificate.authority].trustedPem,
    certificate: client.certificatePem,
    key: client.keyPem,
  });
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
