import { isObject, same, unknown } from "../shared/values.ts";
import type { Props } from "../shared/values.ts";

/** A Kubernetes object. */
export interface KubeObject extends Props {
  apiVersion: string;
  kind: string;
  metadata: Metadata;
}

interface Metadata extends Props {
  name?: string;
  namespace?: string;
  uid?: string;
  generation?: number;
  annotations?: Record<string, string>;
}

/** The kinds without a namespace, by group; "*" for a group that has no other. */
const clusterScoped: Record<string, string[]> = {
  "": ["ComponentStatus", "Namespace", "Node", "PersistentVolume"],
  "admissionregistration.k8s.io": ["*"],
  "apiextensions.k8s.io": ["*"],
  "apiregistration.k8s.io": ["*"],
  "certificates.k8s.io": ["CertificateSigningRequest", "ClusterTrustBundle"],
  "flowcontrol.apiserver.k8s.io": ["*"],
  "internal.apiserver.k8s.io": ["*"],
  "networking.k8s.io": ["IPAddress", "IngressClass", "ServiceCIDR"],
  "node.k8s.io": ["*"],
  "rbac.authorization.k8s.io": ["ClusterRole", "ClusterRoleBinding"],
  "resource.k8s.io": ["DeviceClass", "DeviceTaintRule", "ResourceSlice"],
  "scheduling.k8s.io": ["PriorityClass"],
  "storage.k8s.io": ["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment", "VolumeAttributesClass"],
  "storagemigration.k8s.io": ["*"],
};

const namespacedGroups = [
  "apps",
  "autoscaling",
  "batch",
  "coordination.k8s.io",
  "discovery.k8s.io",
  "events.k8s.io",
  "policy",
];

/** The group of an apiVersion; the core group is empty. */
export function groupOf(apiVersion: string): string {
  return apiVersion.includes("/") ? apiVersion.split("/")[0]! : "";
}

/** Whether a kind of Kubernetes itself is namespaced; undefined for kinds that others define. */
export function isNamespaced({ apiVersion, kind }: KubeObject): boolean | undefined {
  const group = groupOf(apiVersion);
  const scoped = clusterScoped[group];
  if (scoped) return !scoped.includes("*") && !scoped.includes(kind);
  return namespacedGroups.includes(group) ? true : undefined;
}

/** The apiVersion and kind of a type token; undefined for what this stand-in does not manage. */
export function kindOf(token: string): { apiVersion: string; kind: string } | undefined {
  const [, group, version, kind] = /^kubernetes:([^/:]+)\/(v\d\w*):(\w+)$/.exec(token) ?? [];
  // Charts, releases and patches have types of their own, which are no objects.
  if (!group || !version || !kind || group.startsWith("helm") || /Patch$|List$/.test(kind)) return undefined;
  return { apiVersion: group === "core" ? version : `${group}/${version}`, kind };
}

const workload = ["spec.selector"];
const content = ["data", "binaryData"];

/** Fields that the API server does not let change, so that a change replaces the object. */
const fixed: Record<string, string[]> = {
  "apps/DaemonSet": workload,
  "apps/Deployment": workload,
  "apps/StatefulSet": [
    ...workload,
    "spec.podManagementPolicy",
    "spec.revisionHistoryLimit",
    "spec.serviceName",
    "spec.volumeClaimTemplates",
  ],
  "batch/Job": [...workload, "spec.completions", "spec.parallelism", "spec.template"],
  "rbac.authorization.k8s.io/ClusterRoleBinding": ["roleRef"],
  "rbac.authorization.k8s.io/RoleBinding": ["roleRef"],
  "storage.k8s.io/StorageClass": ["parameters", "provisioner"],
  "/PersistentVolumeClaim": ["spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeName"],
  "/ResourceQuota": ["spec.scopes"],
  "/Secret": ["type"],
  "/Service": ["spec.clusterIP"],
};

/** Fields of a persistent volume's specification that may change; all others are its source. */
const volumeFields = [
  "accessModes",
  "capacity",
  "claimRef",
  "mountOptions",
  "nodeAffinity",
  "persistentVolumeReclaimPolicy",
  "storageClassName",
  "volumeAttributesClassName",
  "volumeMode",
];
const podFields = ["activeDeadlineSeconds", "tolerations"];

/** Which settings of the provider let content change in place. */
export interface Mutability {
  enableConfigMapMutable?: boolean;
  enableSecretMutable?: boolean;
}

/** The changed fields that make a new object necessary. */
export function replacedBy(olds: KubeObject, news: KubeObject, mutability: Mutability): string[] {
  const group = groupOf(news.apiVersion);
  const paths = ["kind", "metadata.name", "metadata.namespace", ...(fixed[`${group}/${news.kind}`] ?? [])];
  if (group === "" && news.kind === "ConfigMap" && (!mutability.enableConfigMapMutable || news.immutable)) {
    paths.push(...content);
  }
  if (group === "" && news.kind === "Secret" && (!mutability.enableSecretMutable || news.immutable)) {
    paths.push("data", "stringData");
  }
  if (group === "" && news.kind === "Pod") paths.push(...specPaths(olds, news, podFields));
  if (group === "" && news.kind === "PersistentVolume") paths.push(...specPaths(olds, news, volumeFields));
  const changed = paths.filter((path) => !same(at(olds, path), at(news, path)));
  return group === groupOf(olds.apiVersion) ? changed : ["apiVersion", ...changed];
}

function specPaths(olds: KubeObject, news: KubeObject, mutable: string[]): string[] {
  const keys = [olds.spec, news.spec].flatMap((spec) => (isObject(spec) ? Object.keys(spec) : []));
  return [...new Set(keys)].filter((key) => !mutable.includes(key)).map((key) => `spec.${key}`);
}

/** The value at a path of field names. */
export function at(object: Props, path: string): unknown {
  let value: unknown = object;
  for (const key of path.split(".")) {
    if (value === unknown) return unknown;
    value = isObject(value) ? value[key] : undefined;
  }
  return value;
}

/** An annotation of the `pulumi.com/` family. */
export function annotation(object: Props, name: string): string | undefined {
  const value = (object.metadata as Metadata | undefined)?.annotations?.[`pulumi.com/${name}`];
  return value === undefined ? undefined : String(value);
}
