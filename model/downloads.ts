/** SHA-256 of a download by its path below the mirror's root, such as `dl.k8s.io/v1.36.3/bin/linux/amd64/kubelet`. */
export type Checksums = Record<string, string>;

/** A file that nodes fetch. */
export interface Download {
  path: string;
  /** Where the program goes, or the folder that members of the archive go to. */
  target: string;
  /** Programs to take out of an archive. */
  members?: string[];
}

/** What is to be fetched, by version; no Docker shim and no flannel without theirs. */
export interface DownloadVersions {
  kubernetesVersion: string;
  cniPlugins: string;
  criDockerd?: string;
  flannel?: string;
}

/** What a control-plane node fetches; other nodes fetch the same without kubectl. */
export function downloadsOf(versions: DownloadVersions): Download[] {
  const { kubernetesVersion, cniPlugins, criDockerd, flannel } = versions;
  const kubernetes = ["kubelet", "kube-proxy", "kubectl"].map((program) => ({
    path: `dl.k8s.io/v${kubernetesVersion}/bin/linux/amd64/${program}`,
    target: `/usr/local/bin/${program}`,
  }));
  const cni = {
    path: `github.com/containernetworking/plugins/releases/download/v${cniPlugins}/cni-plugins-linux-amd64-v${cniPlugins}.tgz`,
    target: "/opt/cni/bin",
    members: ["bridge", "host-local", "loopback", "portmap"],
  };
  const shim = {
    path: `github.com/Mirantis/cri-dockerd/releases/download/v${criDockerd}/cri-dockerd-${criDockerd}.amd64.tgz`,
    target: "/usr/local/bin",
    members: ["cri-dockerd"],
  };
  const routes = {
    path: `github.com/flannel-io/flannel/releases/download/v${flannel}/flanneld-amd64`,
    target: "/usr/local/bin/flanneld",
  };
  return [
    ...kubernetes,
    cni,
    ...(criDockerd === undefined ? [] : [shim]),
    ...(flannel === undefined ? [] : [routes]),
  ];
}

/** Reads the format of sha256sum: a line per file, `<sha256>  <path>`. Lines of another form are an error. */
export function parseChecksums(text: string): Checksums {
  const entries = text.split(/\r?\n/).flatMap((line, index) => {
    if (line.trim() === "") return [];
    const match = /^([0-9a-f]{64}) [ *](.+)$/.exec(line);
    if (!match) throw new Error(`line ${index + 1} is not "<sha256>  <path>"`);
    return [[match[2]!.replace(/^\.\//, ""), match[1]!] as const];
  });
  return Object.fromEntries(entries);
}
