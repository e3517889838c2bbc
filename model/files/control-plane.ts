import { file, type Files } from "../bundle.ts";
import { adminGroup, kubeletClientGroup } from "../certificates.ts";
import type { ClusterBase } from "../plan.ts";
import { toYaml } from "../yaml.ts";
import { image } from "./images.ts";
import { signingCertificate } from "./keys.ts";
import { nodeKubeconfig } from "./pki.ts";

/** Hosts paths that a static pod sees at the same path. */
interface Mount {
  path: string;
  type: "Directory" | "DirectoryOrCreate" | "File";
  writable?: boolean;
}

interface StaticPod {
  image: string;
  flags: Record<string, string>;
  mounts: Mount[];
  /** CPU that the scheduler sets aside for it. */
  cpu: string;
  /** Probes: what answers when it lives, and for the API server when it serves. */
  live: Probe;
  ready?: Probe;
}

interface Probe {
  scheme: "HTTP" | "HTTPS";
  host: string;
  port: number;
  path: string;
}

/** etcd, API server, controller manager and scheduler as static pods, their kubeconfigs, and the first objects of the API. */
export function controlPlaneFiles(cluster: ClusterBase): Files {
  const pods: Record<string, StaticPod> = {
    etcd: etcd(cluster),
    "kube-apiserver": apiServer(cluster),
    "kube-controller-manager": controllerManager(cluster),
    "kube-scheduler": scheduler(cluster),
  };
  const manifests = Object.entries(pods).map(
    ([name, pod]) => [`/etc/kubernetes/manifests/${name}.yaml`, file(toYaml(manifest(name, pod)))] as const,
  );
  return {
    ...Object.fromEntries(manifests),
    "/etc/kubernetes/controller-manager.conf": file(
      nodeKubeconfig(cluster, "system:kube-controller-manager", "controller-manager"),
    ),
    "/etc/kubernetes/scheduler.conf": file(nodeKubeconfig(cluster, "system:kube-scheduler", "scheduler")),
    "/etc/kubernetes/super-admin.conf": file(
      nodeKubeconfig(cluster, "kubernetes-super-admin", "super-admin"),
    ),
    "/etc/kubernetes/bootstrap/admin.yaml": file(toYaml(groupBinding(adminGroup, "cluster-admin"))),
    "/etc/kubernetes/bootstrap/kubelet-clients.yaml": file(
      toYaml(groupBinding(kubeletClientGroup, "system:kubelet-api-admin")),
    ),
  };
}

/** https://etcd.io/docs/v3.6/op-guide/configuration/ */
function etcd({ settings, release, controlPlane }: ClusterBase): StaticPod {
  const { name, address } = controlPlane;
  const pki = settings.cluster.certificateFolder;
  return {
    image: image(settings, `etcd:${release.etcd}`),
    cpu: "100m",
    mounts: [
      { path: `${pki}/etcd`, type: "Directory" },
      { path: "/var/lib/etcd", type: "DirectoryOrCreate", writable: true },
    ],
    live: { scheme: "HTTP", host: "127.0.0.1", port: 2381, path: "/livez" },
    flags: {
      name,
      "data-dir": "/var/lib/etcd",
      "listen-client-urls": `https://127.0.0.1:2379,https://${address}:2379`,
      "advertise-client-urls": `https://${address}:2379`,
      "listen-peer-urls": `https://${address}:2380`,
      "initial-advertise-peer-urls": `https://${address}:2380`,
      "initial-cluster": `${name}=https://${address}:2380`,
      "listen-metrics-urls": "http://127.0.0.1:2381",
      "client-cert-auth": "true",
      "trusted-ca-file": `${pki}/etcd/ca.crt`,
      "cert-file": `${pki}/etcd/etcd.crt`,
      "key-file": `${pki}/etcd/etcd.key`,
      "peer-client-cert-auth": "true",
      "peer-trusted-ca-file": `${pki}/etcd/ca.crt`,
      "peer-cert-file": `${pki}/etcd/etcd-peer.crt`,
      "peer-key-file": `${pki}/etcd/etcd-peer.key`,
    },
  };
}

/** https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/ */
function apiServer({ settings, controlPlane }: ClusterBase): StaticPod {
  const { cluster } = settings;
  const port = cluster.apiPort;
  const pki = cluster.certificateFolder;
  return {
    image: kubernetesImage(settings, "kube-apiserver"),
    cpu: "250m",
    mounts: [
      { path: pki, type: "Directory" },
      { path: "/etc/ssl/certs", type: "DirectoryOrCreate" },
    ],
    live: { scheme: "HTTPS", host: controlPlane.address, port, path: "/livez" },
    ready: { scheme: "HTTPS", host: controlPlane.address, port, path: "/readyz" },
    flags: {
      "advertise-address": controlPlane.address,
      "allow-privileged": "true",
      "authorization-mode": "Node,RBAC",
      "client-ca-file": `${pki}/ca.crt`,
      "enable-admission-plugins": "NodeRestriction",
      "etcd-servers": "https://127.0.0.1:2379",
      "etcd-cafile": `${pki}/etcd/ca.crt`,
      "etcd-certfile": `${pki}/apiserver-etcd-client.crt`,
      "etcd-keyfile": `${pki}/apiserver-etcd-client.key`,
      "kubelet-certificate-authority": `${pki}/ca.crt`,
      "kubelet-client-certificate": `${pki}/apiserver-kubelet-client.crt`,
      "kubelet-client-key": `${pki}/apiserver-kubelet-client.key`,
      "kubelet-preferred-address-types": "InternalIP,Hostname",
      "proxy-client-cert-file": `${pki}/front-proxy-client.crt`,
      "proxy-client-key-file": `${pki}/front-proxy-client.key`,
      "requestheader-allowed-names": "front-proxy-client",
      "requestheader-client-ca-file": `${pki}/front-proxy-ca.crt`,
      "requestheader-extra-headers-prefix": "X-Remote-Extra-",
      "requestheader-group-headers": "X-Remote-Group",
      "requestheader-username-headers": "X-Remote-User",
      "secure-port": String(port),
      "service-account-issuer": `https://kubernetes.default.svc.${cluster.domain}`,
      "service-account-key-file": `${pki}/sa.pub`,
      "service-account-signing-key-file": `${pki}/sa.key`,
      "service-cluster-ip-range": cluster.serviceNetwork,
      "tls-cert-file": `${pki}/apiserver.crt`,
      "tls-private-key-file": `${pki}/apiserver.key`,
      ...settings.apiServer.extraArgs,
    },
  };
}

/** https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/ */
function controllerManager({ settings }: ClusterBase): StaticPod {
  const kubeconfig = "/etc/kubernetes/controller-manager.conf";
  const pki = settings.cluster.certificateFolder;
  return {
    image: kubernetesImage(settings, "kube-controller-manager"),
    cpu: "200m",
    mounts: [
      { path: pki, type: "Directory" },
      { path: kubeconfig, type: "File" },
      { path: "/etc/ssl/certs", type: "DirectoryOrCreate" },
    ],
    live: { scheme: "HTTPS", host: "127.0.0.1", port: 10257, path: "/healthz" },
    flags: {
      // The plan gives each node its pod network; ready.sh writes it into the Node object.
      "allocate-node-cidrs": "false",
      "authentication-kubeconfig": kubeconfig,
      "authorization-kubeconfig": kubeconfig,
      "bind-address": "127.0.0.1",
      "client-ca-file": `${pki}/ca.crt`,
      "cluster-name": settings.cluster.name,
      "cluster-signing-cert-file": signingCertificate(settings),
      "cluster-signing-key-file": `${pki}/ca.key`,
      kubeconfig,
      "leader-elect": "true",
      "requestheader-client-ca-file": `${pki}/front-proxy-ca.crt`,
      "root-ca-file": `${pki}/ca.crt`,
      "service-account-private-key-file": `${pki}/sa.key`,
      "use-service-account-credentials": "true",
    },
  };
}

/** https://kubernetes.io/docs/reference/command-line-tools-reference/kube-scheduler/ */
function scheduler({ settings }: ClusterBase): StaticPod {
  const kubeconfig = "/etc/kubernetes/scheduler.conf";
  const pki = settings.cluster.certificateFolder;
  return {
    image: kubernetesImage(settings, "kube-scheduler"),
    cpu: "100m",
    mounts: [
      { path: pki, type: "Directory" },
      { path: kubeconfig, type: "File" },
    ],
    live: { scheme: "HTTPS", host: "127.0.0.1", port: 10259, path: "/livez" },
    flags: {
      "authentication-kubeconfig": kubeconfig,
      "authorization-kubeconfig": kubeconfig,
      "bind-address": "127.0.0.1",
      kubeconfig,
      "leader-elect": "true",
    },
  };
}

function kubernetesImage(settings: ClusterBase["settings"], program: string): string {
  return image(settings, `${program}:v${settings.cluster.kubernetesVersion}`);
}

function manifest(name: string, pod: StaticPod) {
  const volumeName = (path: string) => path.slice(1).replaceAll(/[/.]/g, "-");
  const probe = ({ scheme, host, port, path }: Probe) => ({
    httpGet: { scheme, host, port, path },
    timeoutSeconds: 15,
  });
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "kube-system", labels: { component: name, tier: "control-plane" } },
    spec: {
      hostNetwork: true,
      priorityClassName: "system-node-critical",
      securityContext: { seccompProfile: { type: "RuntimeDefault" } },
      containers: [
        {
          name,
          image: pod.image,
          command: [name, ...Object.entries(pod.flags).map(([flag, value]) => `--${flag}=${value}`)],
          resources: { requests: { cpu: pod.cpu } },
          // A cold start on a slow disk may take four minutes.
          startupProbe: { ...probe(pod.live), periodSeconds: 5, failureThreshold: 48 },
          livenessProbe: { ...probe(pod.live), periodSeconds: 10, failureThreshold: 8 },
          ...(pod.ready
            ? { readinessProbe: { ...probe(pod.ready), periodSeconds: 1, failureThreshold: 3 } }
            : {}),
          volumeMounts: pod.mounts.map(({ path, writable }) => ({
            name: volumeName(path),
            mountPath: path,
            readOnly: !writable,
          })),
        },
      ],
      volumes: pod.mounts.map(({ path, type }) => ({ name: volumeName(path), hostPath: { path, type } })),
    },
  };
}

/** Binds a group of certificate holders to a role of the whole cluster. */
function groupBinding(group: string, role: string) {
  const rbac = "rbac.authorization.k8s.io";
  return {
    apiVersion: `${rbac}/v1`,
    kind: "ClusterRoleBinding",
    metadata: { name: group },
    roleRef: { apiGroup: rbac, kind: "ClusterRole", name: role },
    subjects: [{ apiGroup: rbac, kind: "Group", name: group }],
  };
}
