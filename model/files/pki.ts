import type { ClusterBase } from "../plan.ts";
import { kubeconfig } from "./kubeconfig.ts";

/** A kubeconfig on a node whose certificate and key are `<name>.crt` and `.key` in the folder of certificates. */
export function nodeKubeconfig({ apiServer, settings }: ClusterBase, user: string, name: string): string {
  const pki = settings.cluster.certificateFolder;
  return kubeconfig({
    server: apiServer,
    cluster: settings.cluster.name,
    user,
    authority: { file: `${pki}/ca.crt` },
    certificate: { file: `${pki}/${name}.crt` },
    key: { file: `${pki}/${name}.key` },
  });
}
