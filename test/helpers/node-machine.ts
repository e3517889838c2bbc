import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { execaSync } from "execa";
import type { Files } from "../../model/bundle.ts";
import { downloadsOf } from "../../model/downloads.ts";
import { plan, type ClusterPlan } from "../../model/plan.ts";
import type { Settings } from "../../model/settings.ts";
import { cniPlugins, criDockerd, flannel } from "../../model/versions.ts";
import { checked, kubernetesVersion } from "./cluster.ts";
import { Machine, type Outcome } from "./machine.ts";

/** How a script ends that has nothing to say. */
export const done: Outcome = { exitCode: 0, stdout: "", stderr: "" };

/** Stands in for kubectl: a test decides what it does. */
const kubectl = `#!/bin/bash
echo "kubectl $*" >>/calls
[ ! -e /api-down ] && { [ ! -e /kubectl ] || . /kubectl "$@"; }
`;

/** A machine for the scripts of a node, whose system programs are stand-ins that write down how they were called. */
export class NodeMachine extends Machine {
  constructor() {
    super();
    this.forget();
    this.#recorded(
      "systemctl",
      `case "$*" in
        *is-active*systemd-resolved*) exit 3 ;;
        *is-active*) [ -e "/run/active.\${!#}" ] ;;
        *is-failed*) [ -e "/run/failed.\${!#}" ] ;;
        *is-enabled*) [ -e "/run/enabled.\${!#}" ] ;;
        enable*) touch "/run/enabled.\${!#}" ;;
        restart*) [ ! -e /fail-restart ] || exit 1; touch "/run/active.\${!#}" ;;
      esac`,
    );
    this.#recorded("networkctl");
    this.#recorded("ssh", "[ ! -e /ssh ] || . /ssh");
    this.#recorded("ctr");
    this.#recorded("apt-get", "touch /run/packages");
    this.#recorded("dpkg");
    this.#recorded(
      "curl",
      `case "\${!#}" in */livez) [ ! -e /api-down ]; exit ;;
        */nodes/*) echo '{"status": {"conditions": [{"type": "Ready", "status": "True"}]}}'; exit ;;
      esac
      while [ $# -gt 1 ]; do [ "$1" != -o ] || out=$2; shift; done; cp "/mirror/\${1#https://}" "$out"`,
    );
    this.program("ps", "echo 0");
    // Its processes are this host's, so that no script may find one.
    this.#recorded("pgrep", "exit 1");
    this.#recorded("pkill", "exit 1");
    this.program("dpkg-query", "[ ! -e /run/packages ] || echo installed");
    this.#recorded(
      "ip",
      `case "$*" in
        *"show to "*) echo "2: eth0    inet 10.0.0.10/24 brd 10.0.0.255 scope global eth0" ;;
        *cbr0*) echo "3: cbr0    inet 10.100.10.1/24 scope global cbr0"; echo "3: cbr0    inet 10.100.11.1/24" ;;
      esac`,
    );
    this.write("/sys/class/net/eth0/mtu", "1450\n");
    this.write("/var/lib/cloud/data/instance-id", "instance-1\n");
  }

  #recorded(name: string, script = ""): void {
    this.program(name, `echo "${name} $*" >>/calls\n${script}`);
  }

  /** Calls of a system program since they were last forgotten. */
  calls(program: string, matching = /./): string[] {
    const all = readFileSync(this.path("/calls"), "utf8").split("\n");
    return all.filter((line) => line.startsWith(`${program} `) && matching.test(line));
  }

  forget(): void {
    writeFileSync(this.path("/calls"), "");
  }

  /** The plan of a stack, whose downloads are on the machine's mirror. */
  planned(changes: Record<string, unknown> = {}): ClusterPlan {
    const { settings } = checked(changes);
    return plan(settings, this.#mirror(settings));
  }

  /** Puts a node's files where install-files.sh would. */
  place(files: Files): void {
    for (const [path, { content, mode }] of Object.entries(files)) this.write(path, content, mode);
  }

  /** Puts kubectl onto the machine, which does what this script says. */
  placeKubectl(script: string): void {
    this.write("/usr/local/bin/kubectl", kubectl, "0755");
    this.write("/kubectl", script);
  }

  /** Puts this script in the place of other machines: what they do when they are logged in to, by the last argument. */
  placeSsh(script: string): void {
    this.write("/ssh", script);
  }

  /** Puts what a node downloads onto the mirror; the checksums of it. */
  #mirror({ runtime, network }: Settings): Record<string, string> {
    const versions = {
      kubernetesVersion,
      cniPlugins,
      criDockerd: runtime === "docker" ? criDockerd : undefined,
      flannel: network.routing === "flannel" ? flannel : undefined,
    };
    return Object.fromEntries(
      downloadsOf(versions).map(({ path, members }) => {
        const target = `/mirror/${path}`;
        if (members === undefined)
          this.write(target, path.endsWith("/kubectl") ? kubectl : `program ${path}\n`);
        else {
          for (const member of members)
            this.write(`/unpacked/${path}/some/folder/${member}`, `program ${member}\n`);
          this.write(target, "");
          const [from, to] = [this.path(`/unpacked/${path}`), this.path(target)];
          execaSync("tar", ["-C", from, "--sort=name", "--mtime=@0", "-czf", to, "."]);
        }
        const sum = createHash("sha256").update(readFileSync(this.path(target)));
        return [path, sum.digest("hex")];
      }),
    );
  }
}
