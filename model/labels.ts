/**
 * Labels below kubernetes.io and k8s.io that a kubelet may give its own node; with any other it does not start
 * (https://github.com/kubernetes/kubernetes/blob/v1.36.3/staging/src/k8s.io/kubelet/pkg/apis/well_known_labels.go).
 */
const allowed = [
  "kubernetes.io/hostname",
  "kubernetes.io/os",
  "kubernetes.io/arch",
  "beta.kubernetes.io/os",
  "beta.kubernetes.io/arch",
  "beta.kubernetes.io/instance-type",
  "topology.kubernetes.io/zone",
  "topology.kubernetes.io/region",
  "failure-domain.beta.kubernetes.io/zone",
  "failure-domain.beta.kubernetes.io/region",
];
const allowedNamespace = /(^|\.)(kubelet|node)\.kubernetes\.io$/;

/** Whether a kubelet may give its own node a label of this key. */
export function kubeletMayLabel(key: string): boolean {
  const namespace = key.includes("/") ? key.split("/")[0]! : "";
  const kubernetes = /(^|\.)(kubernetes|k8s)\.io$/.test(namespace);
  return !kubernetes || allowed.includes(key) || allowedNamespace.test(namespace);
}
