import type { ClusterBase } from "../plan.ts";
import { kubeconfig } from "./kubeconfig.ts";

/** Folder of a node's keys and certificates. */
export const pki = "/etc/kubernetes/pki";

/** A kubeconfig on a node whose certificate and key are `<pki>/<name>.crt` and `.key`. */
export function nodeKubeconfig({ apiServer, settings }: ClusterBase, user: string, name: string): string {
  return kubeconfig({
    server: apiServer,
    cluster: settings.cluster.name,
    user,
    authority: { file: `${pki}/ca.crt` },
    certificate: { file: `${pki}/${name}.crt` },
    key: { file: `${pki}/${name}.key` },
  });
}
