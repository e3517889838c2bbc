import { nodeLocalDnsAddress } from "../addons/node-local-dns.ts";
import { environmentFile, file, type Files } from "../bundle.ts";
import { merge, type JsonObject } from "../merge.ts";
import type { ClusterBase, NodeBase } from "../plan.ts";
import { template } from "../templates.ts";
import { minorOf } from "../versions.ts";
import { toYaml } from "../yaml.ts";
import { nodeKubeconfig } from "./pki.ts";
import { podAddresses } from "./pod-network.ts";

/** Port of the kubelet. */
export const kubeletPort = 10250;

/** Pods of a node at most where nothing else is said (the kubelet's own default). */
const usualPods = 110;

const controlPlaneTaint = { key: "node-role.kubernetes.io/control-plane", value: "", effect: "NoSchedule" };

/** The kubelet as a service, and its shim where Docker runs the pods (https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/). */
export function kubeletFiles(cluster: ClusterBase, node: NodeBase): Files {
  const { settings } = cluster;
  const pki = settings.cluster.certificateFolder;
  const docker = settings.runtime === "docker";
  const addresses = podAddresses(node.podNetwork);
  const configuration: JsonObject = {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    address: node.address,
    port: kubeletPort,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: `${pki}/ca.crt` },
    },
    authorization: { mode: "Webhook" },
    cgroupDriver: "systemd",
    // The second is asked while a node's cache is made anew.
    clusterDNS: [...(settings.dns.nodeLocalCache ? [nodeLocalDnsAddress] : []), cluster.dnsAddress],
    clusterDomain: settings.cluster.domain,
    containerRuntimeEndpoint: docker
      ? "unix:///run/cri-dockerd.sock"
      : "unix:///run/containerd/containerd.sock",
    // kubectl exec fails through cri-dockerd with this gate, which is on since 1.36.
    ...(docker && minorOf(settings.cluster.kubernetesVersion) !== "1.35"
      ? { featureGates: { ExtendWebSocketsToKubelet: false } }
      : {}),
    healthzBindAddress: "127.0.0.1",
    // A pod more than there are addresses would wait for one for ever.
    ...(addresses < usualPods ? { maxPods: addresses } : {}),
    serializeImagePulls: false,
    staticPodPath: "/etc/kubernetes/manifests",
    tlsCertFile: `${pki}/kubelet.crt`,
    tlsPrivateKeyFile: `${pki}/kubelet.key`,
  };
  return {
    "/etc/kubernetes/kubelet.yaml": file(toYaml(merge(configuration, settings.kubelet))),
    "/etc/kubernetes/kubelet.conf": file(nodeKubeconfig(cluster, `system:node:${node.name}`, "kubelet")),
    "/etc/systemd/system/kubelet.service": file(template("units/kubelet.service")),
    ...registrationFiles(node),
    ...(docker
      ? { "/etc/systemd/system/cri-dockerd.service": file(template("units/cri-dockerd.service")) }
      : {}),
  };
}

/**
 * What a kubelet gives its Node when it registers it. For a Node that is there update.sh tells from the first file what
 * has changed, and rollout.sh changes it; the kubelet need not start anew.
 */
function registrationFiles(node: NodeBase): Files {
  const taints = node.taints ?? (node.role === "control-plane" ? [controlPlaneTaint] : []);
  const labels = {
    "openstack-kubernetes/role": node.role,
    ...(node.pool === undefined ? {} : { "openstack-kubernetes/pool": node.pool }),
    ...node.labels,
  };
  const configuration: JsonObject = {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    registerWithTaints: taints,
  };
  return {
    "/etc/openstack-kubernetes/registration.env": environmentFile({
      NODE_LABELS: Object.entries(labels)
        .map(([key, value]) => `${key}=${value}`)
        .sort()
        .join(","),
      NODE_TAINTS: taints
        .map(({ key, value, effect }) => `${key}=${value}:${effect}`)
        .sort()
        .join(","),
    }),
    "/etc/kubernetes/kubelet.conf.d/20-registration.conf": file(toYaml(configuration)),
  };
}
