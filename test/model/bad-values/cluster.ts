import { cluster, network, noNetwork, type BadValues } from "../../helpers/bad-values.ts";

const noFolder =
  "must be a folder below /etc, /opt, /srv or /var/lib, of a-z, 0-9, - and ., such as /etc/kubernetes/pki";
const takenFolder = "must not be in /etc/kubernetes/manifests, /etc/ssl/certs, /var/lib/etcd";
const version = 'must be a patch version of 1.35, 1.36, 1.37, such as "1.36.3"';
const noRegistry = "must be a host, perhaps with a port and a path, such as registry.k8s.io";
const noBase =
  "must be an http or https address without blanks, such as https://mirror.example.org/kubernetes";

/** Wrong values of the seed's rows 4, 5, 6, 7, by row. */
export const clusterValues: BadValues = {
  // Docker Engine and the runtime
  4: [
    ["another runtime", { runtime: "podman" }, 'runtime: must be one of docker, containerd, not "podman"'],
    [
      "Docker for no network",
      network({ access: { docker: ["me"] } }),
      `network.access.docker.0: ${noNetwork}`,
    ],
    [
      "Docker for one network as text",
      network({ access: { docker: "192.0.2.0/24" } }),
      'network.access.docker: must be a list, not "192.0.2.0/24"',
    ],
  ],
  // versions, downloads, images and flags of Kubernetes' programs
  5: [
    [
      "a version without quotes",
      cluster({ kubernetesVersion: 1.36 }),
      "cluster.kubernetesVersion: must be text, not 1.36; put it in quotes",
    ],
    [
      "a version without a patch",
      cluster({ kubernetesVersion: "1.36" }),
      `cluster.kubernetesVersion: ${version}`,
    ],
    ["an old version", cluster({ kubernetesVersion: "1.34.4" }), `cluster.kubernetesVersion: ${version}`],
    ["a version with v", cluster({ kubernetesVersion: "v1.36.3" }), `cluster.kubernetesVersion: ${version}`],
    ["a mirror by FTP", { downloads: { kubernetes: "ftp://mirror" } }, `downloads.kubernetes: ${noBase}`],
    [
      "a mirror with a blank",
      { downloads: { github: "https://mirror/git hub" } },
      `downloads.github: ${noBase}`,
    ],
    ["a mirror with a query", { downloads: { github: "https://mirror/?x" } }, `downloads.github: ${noBase}`],
    ["a mirror without a host", { downloads: { github: "https://:80" } }, `downloads.github: ${noBase}`],
    [
      "a registry with a scheme",
      { images: { registry: "https://registry.k8s.io" } },
      `images.registry: ${noRegistry}`,
    ],
    ["yes for true", { images: { plainHttp: "yes" } }, 'images.plainHttp: must be true or false, not "yes"'],
    [
      "a number as a flag's value",
      { apiServer: { extraArgs: { v: 2 } } },
      "apiServer.extraArgs.v: must be text, not 2; put it in quotes",
    ],
    [
      "a flag with its dashes",
      { apiServer: { extraArgs: { "--v": "2" } } },
      "apiServer.extraArgs.--v: must be a flag without dashes in front, such as event-ttl",
    ],
  ],
  // ports and the certificate folder
  6: [
    ["a port out of range", cluster({ apiPort: 70000 }), "cluster.apiPort: must be at most 65535, not 70000"],
    ["an API without a port", cluster({ apiPort: 0 }), "cluster.apiPort: must be at least 1, not 0"],
    ["an API port as text", cluster({ apiPort: "8443" }), 'cluster.apiPort: must be a number, not "8443"'],
    ["the API on etcd's port", cluster({ apiPort: 2379 }), "cluster.apiPort: 2379 is the port of etcd"],
    [
      "the API on Docker's port",
      cluster({ apiPort: 2376 }),
      "cluster.apiPort: 2376 is the port of Docker Engine",
    ],
    [
      "the API on the kubelet's port",
      cluster({ apiPort: 10250 }),
      "cluster.apiPort: 10250 is the port of the kubelet",
    ],
    [
      "the API among the node ports",
      cluster({ apiPort: 31000 }),
      "cluster.apiPort: 31000 is one of the node ports, 30000 to 32767",
    ],
    [
      "the kubelet on the API's port",
      { ...cluster({ apiPort: 8443 }), kubelet: { port: 8443 } },
      "cluster.apiPort: 8443 is the port of the kubelet",
    ],
    ["the kubelet on SSH's port", { kubelet: { port: 22 } }, "kubelet.port: 22 is the port of sshd"],
    ["no kubelet", { kubelet: { port: 0 } }, "kubelet.port: must be a port, 1 to 65535, not 0"],
    [
      "a kubelet's port as text",
      { kubelet: { port: "10250" } },
      'kubelet.port: must be a port, 1 to 65535, not "10250"',
    ],
    [
      "a relative folder of certificates",
      cluster({ certificateFolder: "etc/pki" }),
      `cluster.certificateFolder: ${noFolder}`,
    ],
    [
      "a folder with a slash at its end",
      cluster({ certificateFolder: "/etc/pki/" }),
      `cluster.certificateFolder: ${noFolder}`,
    ],
    [
      "a folder with ..",
      cluster({ certificateFolder: "/etc/../pki" }),
      `cluster.certificateFolder: ${noFolder}`,
    ],
    [
      "a folder that is gone after a boot",
      cluster({ certificateFolder: "/run/pki" }),
      `cluster.certificateFolder: ${noFolder}`,
    ],
    ["all of /etc", cluster({ certificateFolder: "/etc" }), `cluster.certificateFolder: ${noFolder}`],
    [
      "a folder with a blank",
      cluster({ certificateFolder: "/etc/my pki" }),
      `cluster.certificateFolder: ${noFolder}`,
    ],
    [
      "a folder whose path is too long for a volume's name",
      cluster({ certificateFolder: `/etc/${"x".repeat(54)}` }),
      "cluster.certificateFolder: must have at most 58 characters",
    ],
    [
      "the kubelet's own folder",
      cluster({ certificateFolder: "/etc/kubernetes/manifests" }),
      `cluster.certificateFolder: ${takenFolder}`,
    ],
    [
      "a folder in etcd's",
      cluster({ certificateFolder: "/var/lib/etcd/pki" }),
      `cluster.certificateFolder: ${takenFolder}`,
    ],
  ],
  // the client's side: logins, and from where
  7: [
    ["SSH for no network", network({ access: { ssh: ["me"] } }), `network.access.ssh.0: ${noNetwork}`],
    [
      "the API for an address without a prefix",
      network({ access: { api: ["192.0.2.7"] } }),
      `network.access.api.0: ${noNetwork}`,
    ],
    ["a user with a blank", { ssh: { user: "Deb ian" } }, "ssh.user: must be a user's name"],
  ],
};
