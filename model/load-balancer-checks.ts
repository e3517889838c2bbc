import type { Known } from "./known-settings.ts";
import { anyone } from "./load-balancer-settings.ts";
import { checkTypeOf } from "./load-balancers.ts";
import { keyOf } from "./settings.ts";

/** What is wrong with the load balancers and what they lead to. */
export function loadBalancerProblems({ listeners, providers, nodes, pools }: Known): string[] {
  const problems = Object.entries(listeners).flatMap(([balancer, ofBalancer]) => {
    const report: Report = (name, path, text) =>
      [keyOf(["loadBalancers", balancer, "listeners", name, ...path]), text].join(": ");
    return [
      ...listenerProblems(ofBalancer, report),
      ...(providers[balancer] === "ovn" ? ovnProblems(ofBalancer, report) : []),
    ];
  });
  // A role or a count that is wrong by itself may be meant for workers.
  const noWorkers =
    nodes !== undefined &&
    Object.values(nodes).every(({ role }) => role === "control-plane") &&
    Object.values(pools).every(({ count }) => count === 0);
  if (Object.keys(listeners).length > 0 && noWorkers)
    problems.push(`${keyOf(["loadBalancers"])}: lead to the workers, and neither nodes nor pools have one`);
  return problems;
}

type Report = (name: string, path: string[], text: string) => string;

function listenerProblems(listeners: Known["listeners"][string], report: Report): string[] {
  const problems: string[] = [];
  const taken = new Map<string, string>();
  for (const [name, { protocol, port, healthCheck }] of Object.entries(listeners)) {
    if (protocol !== undefined && port !== undefined) {
      const transport = protocol === "UDP" ? "UDP" : "TCP";
      const other = taken.get(`${transport} ${port}`);
      if (other === undefined) taken.set(`${transport} ${port}`, name);
      else problems.push(report(name, ["port"], `${port} is the ${transport} port of ${other}`));
    }
    if (protocol === undefined || healthCheck === undefined) continue;
    const problem = (key: string, text: string) => problems.push(report(name, ["healthCheck", key], text));
    const type = checkTypeOf(protocol, healthCheck);
    const { path, delay, timeout } = healthCheck;
    if (type === "UDP-CONNECT" && protocol !== "UDP")
      problem("type", `UDP-CONNECT is only for protocol UDP, not ${protocol}`);
    if (path !== undefined && type !== "HTTP") problem("path", `is only for type HTTP, not ${type}`);
    if (timeout > delay) problem("timeout", `must be at most the delay of ${delay} seconds, not ${timeout}`);
    if (type === "UDP-CONNECT" && delay < leastUdpDelay)
      problem("delay", `must be at least ${leastUdpDelay} for UDP-CONNECT, not ${delay}`);
  }
  return problems;
}

/** What the provider `ovn` refuses (https://docs.openstack.org/ovn-octavia-provider/latest/admin/driver.html#limitations). */
function ovnProblems(listeners: Known["listeners"][string], report: Report): string[] {
  return Object.entries(listeners).flatMap(([name, { protocol, method, allowedCidrs, healthCheck }]) => {
    const problems: string[] = [];
    const refused = (path: string[], text: string) =>
      problems.push(report(name, path, `the provider ovn ${text}`));
    if (protocol === "HTTP") refused(["protocol"], "passes on TCP and UDP, not HTTP");
    if (method !== undefined && method !== "SOURCE_IP_PORT")
      refused(["method"], "knows SOURCE_IP_PORT alone");
    if (allowedCidrs !== undefined && allowedCidrs.join() !== anyone.join())
      refused(["allowedCidrs"], "lets everybody in");
    if (protocol !== undefined && healthCheck !== undefined && checkTypeOf(protocol, healthCheck) === "HTTP")
      refused(["healthCheck", "type"], "checks by TCP or UDP-CONNECT, not by HTTP");
    return problems;
  });
}

/** Octavia's default of `udp_connect_min_interval_health_monitor`, in seconds. */
const leastUdpDelay = 3;
