import type { Cluster } from "./cluster.ts";
import type { KubeObject } from "./kinds.ts";
import { at, groupOf } from "./kinds.ts";
import { isObject } from "../shared/values.ts";
import type { Props } from "../shared/values.ts";

/** How far an object is. `failed` says that waiting is in vain. */
export type Progress =
  { ready: true } | { ready: false; message: string; failed?: boolean; enough?: boolean };

type Check = (object: KubeObject, cluster: Cluster) => Progress | Promise<Progress>;

const done: Progress = { ready: true };
const waiting = (message: string): Progress => ({ ready: false, message });
const failing = (message: string): Progress => ({ ready: false, message, failed: true });

const checks: Record<string, Check> = {
  "apps/Deployment": deployment,
  "apps/DaemonSet": daemonSet,
  "apps/StatefulSet": statefulSet,
  "batch/Job": job,
  "/Pod": pod,
  "/Service": service,
  "apiextensions.k8s.io/CustomResourceDefinition": definition,
};

/** Whether an object is ready, by the rules for its kind; kinds without rules are ready at once. */
export async function progressOf(object: KubeObject, cluster: Cluster): Promise<Progress> {
  const check = checks[`${groupOf(object.apiVersion)}/${object.kind}`];
  return check ? check(object, cluster) : done;
}

interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
}

function condition(object: KubeObject, type: string): Condition | undefined {
  const conditions = at(object, "status.conditions");
  return (Array.isArray(conditions) ? (conditions as Condition[]) : []).find((one) => one.type === type);
}

function count(object: Props, path: string, missing = 0): number {
  const value = at(object, path);
  return typeof value === "number" ? value : missing;
}

function because({ reason, message }: Condition): string {
  return [reason, message].filter(Boolean).join(": ");
}

/** The status is about an older specification than the one that holds. */
function outdated(object: KubeObject): boolean {
  return count(object, "status.observedGeneration") < count(object, "metadata.generation");
}

function deployment(object: KubeObject): Progress {
  if (outdated(object)) return waiting("the new specification is not seen yet");
  const wanted = count(object, "spec.replicas", 1);
  const updated = count(object, "status.updatedReplicas");
  const available = count(object, "status.availableReplicas");
  const old = count(object, "status.replicas") - updated;
  if (updated >= wanted && old === 0 && available >= wanted) return done;
  const progressing = condition(object, "Progressing");
  const detail = progressing?.status === "False" ? ` (${because(progressing)})` : "";
  return waiting(
    `${available} of ${wanted} replicas are available, ${updated} are new, ${old} are old${detail}`,
  );
}

function daemonSet(object: KubeObject): Progress {
  if (at(object, "spec.updateStrategy.type") === "OnDelete") return done;
  if (outdated(object)) return waiting("the new specification is not seen yet");
  const wanted = count(object, "status.desiredNumberScheduled");
  const updated = count(object, "status.updatedNumberScheduled");
  const available = count(object, "status.numberAvailable");
  if (updated >= wanted && available >= wanted) return done;
  return waiting(`${available} of ${wanted} pods are available, ${updated} are new`);
}

function statefulSet(object: KubeObject): Progress {
  if (at(object, "spec.updateStrategy.type") === "OnDelete") return done;
  if (outdated(object)) return waiting("the new specification is not seen yet");
  const wanted = count(object, "spec.replicas", 1);
  const ready = count(object, "status.readyReplicas");
  const updated = count(object, "status.updatedReplicas");
  const kept = count(object, "spec.updateStrategy.rollingUpdate.partition");
  if (ready >= wanted && updated >= Math.max(wanted - kept, 0)) return done;
  return waiting(`${ready} of ${wanted} pods are ready, ${updated} are new`);
}

function job(object: KubeObject): Progress {
  if (condition(object, "Complete")?.status === "True") return done;
  const failed = condition(object, "Failed");
  if (failed?.status === "True") return failing(`the job failed: ${because(failed)}`);
  return waiting(
    `${count(object, "status.succeeded")} pods succeeded, ${count(object, "status.failed")} failed`,
  );
}

function pod(object: KubeObject): Progress {
  const phase = at(object, "status.phase") as string | undefined;
  if (phase === "Succeeded" || condition(object, "Ready")?.status === "True") return done;
  if (phase === "Failed")
    return failing(
      `the pod failed: ${(at(object, "status.message") as string | undefined) ?? "see its log"}`,
    );
  const statuses = at(object, "status.containerStatuses");
  const reasons = (Array.isArray(statuses) ? (statuses as Props[]) : []).flatMap((status) => {
    const held = at(status, "state.waiting");
    return isObject(held) ? `${String(status.name)}: ${because(held as unknown as Condition)}` : [];
  });
  const unscheduled = condition(object, "PodScheduled");
  if (unscheduled?.status === "False") reasons.push(because(unscheduled));
  return waiting(
    `the pod is ${phase ?? "not started"}${reasons.length > 0 ? ` (${reasons.join("; ")})` : ""}`,
  );
}

async function service(object: KubeObject, cluster: Cluster): Promise<Progress> {
  const spec = isObject(object.spec) ? object.spec : {};
  const selects = isObject(spec.selector) && Object.keys(spec.selector).length > 0;
  if (spec.type === "LoadBalancer" && !at(object, "status.loadBalancer.ingress")) {
    return waiting("the load balancer has no address yet");
  }
  if (spec.type === "ExternalName" || spec.clusterIP === "None" || !selects) return done;
  const slices = await cluster.list(
    { apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice" },
    object.metadata.namespace ?? cluster.namespace,
    `kubernetes.io/service-name=${object.metadata.name}`,
  );
  const endpoints = slices.flatMap((slice) =>
    Array.isArray(slice.endpoints) ? (slice.endpoints as Props[]) : [],
  );
  // An endpoint that says nothing about itself counts as ready.
  const ready = endpoints.filter((endpoint) => at(endpoint, "conditions.ready") !== false);
  if (ready.length > 0) return done;
  const message = "no ready pod is behind the service; do its selector's labels match any?";
  // As the official plugin has it, a service that nobody is about to serve is accepted when the time is over.
  return { ready: false, message, enough: endpoints.length === 0 };
}

function definition(object: KubeObject): Progress {
  const refused = condition(object, "NamesAccepted");
  if (condition(object, "Established")?.status === "True") return done;
  return refused?.status === "False"
    ? failing(because(refused))
    : waiting("the definition is not established yet");
}
