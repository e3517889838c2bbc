import type { V1Deployment } from "@kubernetes/client-node";
import { registry } from "../../../lab/paths.ts";
import { eventually } from "./eventually.ts";
import type { Kubectl } from "./kubectl.ts";

const namespace = "api-client";
const name = "asks";
const labels = { app: name };
const account = "/var/run/secrets/kubernetes.io/serviceaccount";

// Reads token and authority anew for each request, as present-day clients do. Only who is authenticated may see /api.
const program = `cd ${account}
while :; do
  asked=$(date -u +%FT%TZ)
  said=$(curl -sS -m 10 -o /dev/null -w "%{http_code}" --cacert ca.crt -H "Authorization: Bearer $(cat token)" \\
    https://kubernetes.default.svc.cluster.local/api 2>&1 | tr "\\n" " ")
  [ "$said" = "200" ] && echo answered || echo "failed, asked at $asked: $said"
  sleep 0.5
done`;

const deployment: V1Deployment = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name, namespace },
  spec: {
    selector: { matchLabels: labels },
    // The log of a pod that goes would be taken for the new one's.
    strategy: { type: "Recreate" },
    template: {
      metadata: { labels },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [{ name, image: `${registry}/lab/tools:1`, command: ["sh", "-c", program] }],
      },
    },
  },
};

const rollout = (kubectl: Kubectl, ...args: string[]) =>
  kubectl.run(["rollout", ...args, `deployment/${name}`, `--namespace=${namespace}`]);

/** Runs a pod that asks the API twice a second, as its service account. */
export async function startApiClient(kubectl: Kubectl): Promise<void> {
  await kubectl.apply([{ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } }, deployment]);
  await rollout(kubectl, "status", "--timeout=110s");
}

/** Makes the pod anew, with a new token and an empty log. */
export async function restartApiClient(kubectl: Kubectl): Promise<void> {
  await rollout(kubectl, "restart");
  await rollout(kubectl, "status", "--timeout=110s");
}

/** A line for each of its requests so far: "answered", or one that begins with "failed". */
export async function apiClientLines(kubectl: Kubectl): Promise<string[]> {
  // A kubelet that was started anew takes a moment until it hands logs out.
  const log = await eventually(30, () =>
    kubectl.run(["logs", `deployment/${name}`, `--namespace=${namespace}`]),
  );
  return log.trim().split("\n");
}

/** The certificates that it finds to trust the API by. */
export const trustedByApiClient = (kubectl: Kubectl): Promise<string> =>
  kubectl.sh(namespace, `deployment/${name}`, `cat ${account}/ca.crt`);
