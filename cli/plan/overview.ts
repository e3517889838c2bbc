import { coredns } from "../../model/addons/coredns.ts";
import { nodeLocalDns } from "../../model/addons/node-local-dns.ts";
import { addressAt, parseNetwork } from "../../model/addresses.ts";
import { digest, type File } from "../../model/bundle.ts";
import { nodeCertificate, nodeSubject } from "../../model/certificates.ts";
import {
  installAndConverge,
  removeNode,
  rollOut,
  stageOrConverge,
  waitUntilReady,
} from "../../model/commands.ts";
import { keyFiles } from "../../model/files/keys.ts";
import { includes, type Phase } from "../../model/phases.ts";
import type { ClusterPlan, NodePlan } from "../../model/plan.ts";
import { quotas, type Quota, type QuotaName } from "../../model/quotas.ts";
import type { Routing } from "../../model/routing.ts";
import { securityRules, type GroupRole, type SecurityRule } from "../../model/security-rules.ts";
import type { PoolSettings } from "../../model/settings.ts";
import { certificate, certificates, type CertificateOverview } from "./certificates.ts";
import { loadBalancerOverview, type LoadBalancerOverview } from "./load-balancers.ts";

/**
 * A stack as `npm run plan -- STACK --json` prints it; docs/plan.md describes it. With the same `format` fields may be
 * added, but none goes or changes its meaning.
 */
export interface Overview {
  format: 1;
  stack: string;
  cluster: {
    name: string;
    /** How far the stack goes; what later phases add is not in the plan. */
    phase: Phase;
    kubernetesVersion: string;
    runtime: string;
    /** The API for machines of the node network. */
    apiServer: string;
    /** How many nodes may be away at once while changes reach them. */
    maxUnavailable: number;
  };
  networks: {
    nodes: { network: string; nameServers: string[] } & (
      | { router: string; neutronRange: string }
      | { existing: { network: string; subnet: string; router: string } }
    );
    /** `routing` says what leads to other nodes' pods: the router's routes, or flannel by one of its backends. */
    pods: { network: string; nodePrefix: number; routing: "router" | NonNullable<Routing["flannel"]> };
    services: { network: string; api: string; dns: string };
    /** Further networks that pods reach with their own addresses. */
    routed: string[];
    /** Names of the external networks of the router's gateway and of the floating addresses. */
    external: { gateway: string; floating: string };
  };
  /** Who may log in to the machines, beside the program; another key makes them anew. */
  login: { user: string; authorizedKeys: string[] };
  /** By name, the control plane first, then by slot. */
  nodes: Record<string, NodeOverview>;
  /** By name; what their nodes have is with these. */
  pools: Record<string, PoolOverview>;
  /** Ingress rules by group and by their names. */
  securityGroups: Record<GroupRole, Record<string, Omit<SecurityRule, "name">>>;
  /** By name, each with its listeners by theirs. */
  loadBalancers: Record<string, LoadBalancerOverview>;
  /** The authorities and the cluster's own certificates, by name; nodes have theirs. */
  certificates: Record<string, CertificateOverview>;
  /** Numbers of the keys of service-account tokens: those that count, and the one that signs; from phase kubernetes on. */
  serviceAccountKeys?: { trusted: number[]; signing: number };
  quotas: Record<QuotaName, Quota>;
  /** How many machines there are of a flavor. */
  flavors: Record<string, number>;
  /** Objects in the cluster, by add-on and by what they are. */
  addons: Record<string, Record<string, object>>;
  /** Command lines that run on the machines. */
  commands: Record<string, string>;
  /** Settings that are secrets; the plan has `[secret]` in their place. */
  secretSettings: string[];
  /** Texts of all files by their SHA-256. */
  texts: Record<string, string>;
}

type PoolOverview = Pick<PoolSettings, "count" | "slots" | "remove" | "availabilityZones" | "serverGroup">;

export interface NodeOverview extends MachineOverview {
  /** The router's route to the node's pods, unless flannel leads there. */
  route?: { destination: string; nextHop: string };
  /** From phase docker on; Docker's server has the kubelet's too. */
  certificates: { kubelet?: CertificateOverview };
  /** Paths of keys and certificates, 0600 each; what is in them only `pulumi up` knows. */
  keys: string[];
}

/** A node by its plan alone. */
interface MachineOverview extends Omit<NodePlan, "name" | "files"> {
  /** By path; the owner is root. */
  files: Record<string, FileOverview>;
}

export interface FileOverview {
  mode: File["mode"];
  /** Bytes. */
  size: number;
  /** Key of its text in `texts`. */
  sha256: string;
}

/** All that a plan says, as plain data for people, programs and comparisons. */
export function overview(stack: string, plan: ClusterPlan, secretSettings: string[]): Overview {
  const { settings } = plan;
  const { cluster, network } = settings;
  const { machines, texts } = machinesOf(plan);
  return {
    format: 1,
    stack,
    cluster: {
      name: cluster.name,
      phase: settings.phase,
      kubernetesVersion: cluster.kubernetesVersion,
      runtime: settings.runtime,
      apiServer: plan.apiServer,
      maxUnavailable: settings.rollout.maxUnavailable,
    },
    networks: {
      nodes: {
        network: network.nodeNetwork,
        nameServers: network.nameServers,
        ...(network.existing === undefined
          ? {
              router: addressAt(parseNetwork(network.nodeNetwork), 1),
              neutronRange: `${plan.allocationPool.start}-${plan.allocationPool.end}`,
            }
          : { existing: network.existing }),
      },
      pods: {
        network: cluster.podNetwork,
        nodePrefix: cluster.nodePodPrefix,
        routing: plan.routing.flannel ?? "router",
      },
      services: { network: cluster.serviceNetwork, api: plan.apiServiceAddress, dns: plan.dnsAddress },
      routed: network.routedNetworks,
      external: {
        gateway: network.externalNetwork,
        floating: network.floatingPool ?? network.externalNetwork,
      },
    },
    login: settings.ssh,
    nodes: Object.fromEntries(
      Object.entries(machines).map(([name, machine]) => [name, nodeOverview(name, machine, plan)]),
    ),
    pools: Object.fromEntries(
      Object.entries(settings.pools).map(
        ([name, { count, slots, remove, availabilityZones, serverGroup }]) => [
          name,
          { count, slots, remove, availabilityZones, serverGroup },
        ],
      ),
    ),
    securityGroups: rulesByName(securityRules(settings)),
    loadBalancers: Object.fromEntries(
      plan.loadBalancers.map(({ name, ...balancer }) => [name, loadBalancerOverview(balancer)]),
    ),
    certificates: certificates(plan),
    serviceAccountKeys: includes(settings.phase, "kubernetes")
      ? settings.certificates.epochs["service-account"]
      : undefined,
    quotas: quotas(plan),
    flavors: count(plan.nodes.map(({ flavor }) => flavor)),
    addons: addons(plan),
    commands: {
      ...(includes(settings.phase, "docker") && {
        installAndConverge,
        stageOrConverge,
      }),
      ...(includes(settings.phase, "kubernetes") && {
        waitUntilReady,
        rollOut: rollOut("NODE"),
        removeNode: removeNode("NODE"),
      }),
    },
    secretSettings,
    texts,
  };
}

/** The nodes with their files, and the files' texts by SHA-256. */
export function machinesOf({ nodes }: Pick<ClusterPlan, "nodes">) {
  const texts: Record<string, string> = {};
  const machines: Record<string, MachineOverview> = {};
  for (const { name, files, ...machine } of nodes) {
    const paths = Object.keys(files).sort();
    machines[name] = {
      ...machine,
      files: Object.fromEntries(paths.map((path) => [path, fileOverview(files[path]!, texts)])),
    };
  }
  return { machines, texts };
}

function nodeOverview(
  name: string,
  machine: MachineOverview,
  { settings, routing }: ClusterPlan,
): NodeOverview {
  const { role, address, podNetwork } = machine;
  const spec = { ...nodeSubject(name, address), ...nodeCertificate };
  return {
    ...machine,
    route: routing.byRouter ? { destination: podNetwork, nextHop: address } : undefined,
    certificates: includes(settings.phase, "docker") ? { kubelet: certificate(spec, settings, name) } : {},
    keys: Object.keys(keyFiles(settings, role)).sort(),
  };
}

function fileOverview({ content, mode }: File, texts: Record<string, string>): FileOverview {
  const sha256 = digest(content);
  texts[sha256] = content;
  return { mode, size: Buffer.byteLength(content), sha256 };
}

function rulesByName(groups: Record<GroupRole, SecurityRule[]>): Overview["securityGroups"] {
  const entries = Object.entries(groups).map(([group, rules]) => [
    group,
    Object.fromEntries(rules.map(({ name, ...rule }) => [name, rule])),
  ]);
  return Object.fromEntries(entries) as Overview["securityGroups"];
}

function addons(plan: ClusterPlan): Overview["addons"] {
  const { phase, dns } = plan.settings;
  return {
    ...(includes(phase, "kubernetes") && { coredns: coredns(plan) }),
    ...(includes(phase, "kubernetes") && dns.nodeLocalCache && { "node-local-dns": nodeLocalDns(plan) }),
  };
}

function count(values: string[]): Record<string, number> {
  const numbers = new Map<string, number>();
  for (const value of values) numbers.set(value, (numbers.get(value) ?? 0) + 1);
  return Object.fromEntries(numbers);
}
