import { toYaml } from "../yaml.ts";

/** Where a kubeconfig takes a certificate or key from: a file on the node, or the text itself in base64. */
type Source = { file: string } | { data: string };

export interface KubeconfigArgs {
  server: string;
  cluster: string;
  user: string;
  authority: Source;
  certificate: Source;
  key: Source;
}

/** A kubeconfig with one cluster, user and context. */
export function kubeconfig({ server, cluster, user, authority, certificate, key }: KubeconfigArgs): string {
  return toYaml({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: cluster, cluster: { server, ...entry("certificate-authority", authority) } }],
    users: [
      { name: user, user: { ...entry("client-certificate", certificate), ...entry("client-key", key) } },
    ],
    contexts: [{ name: cluster, context: { cluster, user } }],
    "current-context": cluster,
  });
}

function entry(name: string, source: Source): Record<string, string> {
  return "file" in source ? { [name]: source.file } : { [`${name}-data`]: source.data };
}
