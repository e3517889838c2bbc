import { includes } from "./phases.ts";
import type { NodeBase } from "./plan.ts";
import type { Settings } from "./settings.ts";

type LoadBalancerSettings = Settings["loadBalancers"][string];
type ListenerSettings = LoadBalancerSettings["listeners"][string];

/** A load balancer as Octavia is asked for it. */
export interface LoadBalancerPlan {
  name: string;
  floatingAddress: boolean;
  provider?: string;
  listeners: ListenerPlan[];
}

/** A port of a load balancer with the workers behind it. */
export interface ListenerPlan {
  name: string;
  protocol: ListenerSettings["protocol"];
  port: number;
  allowedCidrs: string[];
  method: ListenerSettings["method"];
  healthCheck: HealthCheckPlan;
  members: { name: string; address: string; port: number }[];
}

export interface HealthCheckPlan {
  type: NonNullable<ListenerSettings["healthCheck"]["type"]>;
  /** For a check by HTTP alone. */
  path?: string;
  /** Seconds. */
  delay: number;
  /** Seconds. */
  timeout: number;
  maxRetries: number;
}

/** The load balancers of a stack; node ports answer from phase kubernetes on, so there are none before. */
export function loadBalancersOf(
  { phase, loadBalancers }: Settings,
  nodes: readonly NodeBase[],
): LoadBalancerPlan[] {
  if (!includes(phase, "kubernetes")) return [];
  const workers = nodes.filter(({ role }) => role === "worker");
  return Object.entries(loadBalancers).map(([name, { listeners, ...balancer }]) => ({
    name,
    ...balancer,
    listeners: Object.entries(listeners).map(([of, { nodePort, healthCheck, ...listener }]) => ({
      name: of,
      ...listener,
      healthCheck: healthCheckPlan(listener.protocol, healthCheck),
      members: workers.map(({ name, address }) => ({ name, address, port: nodePort })),
    })),
  }));
}

/** How Octavia asks a worker whether it answers. */
export function checkTypeOf(
  protocol: ListenerSettings["protocol"],
  { type }: ListenerSettings["healthCheck"],
): HealthCheckPlan["type"] {
  return type ?? (protocol === "UDP" ? "UDP-CONNECT" : "TCP");
}

function healthCheckPlan(
  protocol: ListenerSettings["protocol"],
  check: ListenerSettings["healthCheck"],
): HealthCheckPlan {
  const { path = "/", delay, timeout, maxRetries } = check;
  const type = checkTypeOf(protocol, check);
  return { type, ...(type === "HTTP" && { path }), delay, timeout, maxRetries };
}
