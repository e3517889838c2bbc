import { image } from "../files/images.ts";
import type { ClusterBase } from "../plan.ts";
import type { Settings } from "../settings.ts";

/** CoreDNS: the objects that components/coredns.ts creates (https://coredns.io/plugins/kubernetes/). */
export function coredns({
  settings,
  release,
  dnsAddress,
}: Pick<ClusterBase, "settings" | "release" | "dnsAddress">) {
  const labels = { "k8s-app": "kube-dns" };
  const metadata = { name: "coredns", namespace: "kube-system" };
  // The ready gate asks the cluster's DNS itself, and says what is wrong with it.
  const annotations = { "pulumi.com/skipAwait": "true" };
  // CoreDNS reads its authority when it starts. Its pods are made anew when another key signs for the API, since by
  // then they find that key's certificate beside the first's.
  const { signing } = settings.certificates.epochs.kubernetes;
  const madeAnew = signing > 1 ? { annotations: { "openstack-kubernetes/authority": String(signing) } } : {};
  const rbac = "rbac.authorization.k8s.io";
  return {
    serviceAccount: { metadata },
    clusterRole: {
      metadata: { name: "system:coredns" },
      rules: [
        {
          apiGroups: [""],
          resources: ["endpoints", "services", "pods", "namespaces"],
          verbs: ["list", "watch"],
        },
        { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
      ],
    },
    clusterRoleBinding: {
      metadata: { name: "system:coredns" },
      roleRef: { apiGroup: rbac, kind: "ClusterRole", name: "system:coredns" },
      subjects: [{ kind: "ServiceAccount", ...metadata }],
    },
    configMap: { metadata, data: { Corefile: corefile(settings) } },
    deployment: {
      metadata: { ...metadata, labels, annotations },
      spec: {
        replicas: 2,
        selector: { matchLabels: labels },
        strategy: { rollingUpdate: { maxUnavailable: 1 } },
        template: {
          metadata: { labels, ...madeAnew },
          spec: {
            serviceAccountName: "coredns",
            priorityClassName: "system-cluster-critical",
            // The node's own resolver, or CoreDNS would forward to itself.
            dnsPolicy: "Default",
            nodeSelector: { "kubernetes.io/os": "linux" },
            tolerations: [{ key: "node-role.kubernetes.io/control-plane", effect: "NoSchedule" }],
            topologySpreadConstraints: [
              {
                maxSkew: 1,
                topologyKey: "kubernetes.io/hostname",
                whenUnsatisfiable: "ScheduleAnyway",
                labelSelector: { matchLabels: labels },
              },
            ],
            containers: [
              {
                name: "coredns",
                ...corednsContainer(
                  { settings, release },
                  {
                    resources: { requests: { cpu: "100m", memory: "70Mi" }, limits: { memory: "170Mi" } },
                    ports: [
                      { name: "dns", containerPort: 53, protocol: "UDP" },
                      { name: "dns-tcp", containerPort: 53, protocol: "TCP" },
                      { name: "metrics", containerPort: 9153, protocol: "TCP" },
                    ],
                  },
                ),
              },
            ],
            volumes: [{ name: "config", configMap: { name: "coredns" } }],
          },
        },
      },
    },
    service: {
      metadata: { name: "kube-dns", namespace: "kube-system", labels, annotations },
      spec: {
        clusterIP: dnsAddress,
        selector: labels,
        ports: [
          { name: "dns", port: 53, protocol: "UDP" },
          { name: "dns-tcp", port: 53, protocol: "TCP" },
          { name: "metrics", port: 9153, protocol: "TCP" },
        ],
      },
    },
  };
}

/** Where CoreDNS runs, each with what is its own. */
interface Container {
  resources: object;
  ports?: { name: string; containerPort: number; protocol: string }[];
  /** Address that the probes ask; the pod's own by default. */
  probed?: string;
  /** The image's own user by default. */
  runAsUser?: number;
}

/** A container of CoreDNS, which reads its Corefile from the volume `config`. */
export function corednsContainer(
  { settings, release }: Pick<ClusterBase, "settings" | "release">,
  { resources, ports, probed, runAsUser }: Container,
) {
  return {
    image: image(settings, `coredns/coredns:${release.coredns}`),
    args: ["-conf", "/etc/coredns/Corefile"],
    resources,
    ports,
    livenessProbe: {
      httpGet: { host: probed, path: "/health", port: 8080 },
      initialDelaySeconds: 60,
      timeoutSeconds: 5,
    },
    readinessProbe: { httpGet: { host: probed, path: "/ready", port: 8181 }, periodSeconds: 2 },
    securityContext: {
      runAsUser,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { add: ["NET_BIND_SERVICE"], drop: ["ALL"] },
    },
    volumeMounts: [{ name: "config", mountPath: "/etc/coredns", readOnly: true }],
  };
}

function corefile({ cluster, dns }: Settings): string {
  // The machine's own resolver, as the kubelet gives it to the pod.
  const upstream = dns.upstream.length > 0 ? dns.upstream.join(" ") : "/etc/resolv.conf";
  return `.:53 {
    errors
    health {
        lameduck 5s
    }
    ready
    kubernetes ${cluster.domain} in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
    }
    prometheus :9153
    forward . ${upstream} {
        max_concurrent 1000
    }
    cache 30
    loop
    reload
    loadbalance
}
`;
}
