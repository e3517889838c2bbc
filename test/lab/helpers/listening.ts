import { on, type Machine } from "../../../lab/client/machines.ts";

/** A port that containerd, which serves exec and logs of pods there, takes as it comes. */
const anyPort = "127.0.0.1:*";

/** What listens on a machine: protocol, address, port and program, a line each, sorted. */
export async function listening(machine: Machine): Promise<string[]> {
  const table = await on(machine, "sudo -n ss --no-header --listening --numeric --tcp --udp --processes");
  const lines = table
    .trimEnd()
    .split("\n")
    .map((line) => {
      const [protocol, , , , socket = ""] = line.split(/\s+/);
      const programs = [...line.matchAll(/\("([^"]+)",pid=/g)].map(([, program]) => program);
      const program = [...new Set(programs)].sort().join(" ");
      // An address may be followed by its interface.
      const local = socket.replace(/%[^:]+/, "");
      const stable = program === "containerd" ? local.replace(/^127\.0\.0\.1:\d+$/, anyPort) : local;
      return `${protocol} ${stable} ${program}`;
    });
  return lines.sort();
}

/** What is to listen on a node whose pods containerd runs, as `listening` writes it; nothing else may. */
export function listOfNode(args: {
  address: string;
  kubeletPort: number;
  /** Port of the API, on a control-plane node. */
  apiPort?: number;
}): string[] {
  const { address, kubeletPort, apiPort } = args;
  const machine = [
    "tcp 0.0.0.0:22 sshd",
    "tcp [::]:22 sshd",
    ...["127.0.0.53:53", "127.0.0.54:53"].flatMap((at) => [
      `tcp ${at} systemd-resolve`,
      `udp ${at} systemd-resolve`,
    ]),
    // LLMNR, which Debian's systemd-resolved answers; the groups let nobody ask from outside.
    ...["0.0.0.0:5355", "[::]:5355"].flatMap((at) => [
      `tcp ${at} systemd-resolve`,
      `udp ${at} systemd-resolve`,
    ]),
    `udp ${address}:68 systemd-network`,
  ];
  const node = [
    `tcp ${anyPort} containerd`,
    `tcp ${address}:2376 dockerd`,
    `tcp ${address}:${kubeletPort} kubelet`,
    "tcp 127.0.0.1:10248 kubelet",
    "tcp 127.0.0.1:10249 kube-proxy",
    "tcp 127.0.0.1:10256 kube-proxy",
  ];
  // The kernel keeps 15 characters of a program's name.
  const controlPlane = [
    `tcp *:${apiPort} kube-apiserver`,
    "tcp 127.0.0.1:2379 etcd",
    `tcp ${address}:2379 etcd`,
    `tcp ${address}:2380 etcd`,
    "tcp 127.0.0.1:2381 etcd",
    "tcp 127.0.0.1:10257 kube-controller",
    "tcp 127.0.0.1:10259 kube-scheduler",
  ];
  return [...machine, ...node, ...(apiPort === undefined ? [] : controlPlane)].sort();
}
