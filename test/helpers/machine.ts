import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";

export interface Outcome {
  exitCode: number | undefined;
  stdout: string;
  stderr: string;
}

/**
 * A root folder that scripts of a node see as `/`: programs are this machine's, read-only, all else is its own.
 * Needs no root, only the right to make a user namespace.
 */
export class Machine {
  readonly root: string;

  constructor() {
    this.root = mkdtempSync(join(tmpdir(), "machine-"));
    for (const folder of [
      "usr",
      "local/bin",
      "dev",
      "proc",
      "sys/class/net",
      "etc/alternatives",
      "var/lib",
      "var/log",
      "run",
      "tmp",
    ]) {
      mkdirSync(join(this.root, folder), { recursive: true });
    }
    for (const folder of ["bin", "sbin", "lib", "lib64"])
      symlinkSync(`usr/${folder}`, join(this.root, folder));
    this.program("sudo", 'exec "${@:2}"');
    this.program("cloud-init", "exit 0");
  }

  /** A path of the machine as a path of ours. */
  path(path: string): string {
    return join(this.root, path.replace(/^\/usr\/local\//, "/local/"));
  }

  write(path: string, content: string, mode: string = "0644"): void {
    mkdirSync(dirname(this.path(path)), { recursive: true });
    writeFileSync(this.path(path), content);
    chmodSync(this.path(path), Number.parseInt(mode, 8));
  }

  /** Puts a bash script onto the machine's PATH, before programs of the same name. */
  program(name: string, script: string): void {
    this.write(`/usr/local/bin/${name}`, `#!/bin/bash\n${script}\n`, "0755");
  }

  /** Runs a command line as root of the machine, as its SSH server would. */
  async run(command: string, input = ""): Promise<Outcome> {
    const enter = `
      mount --bind "$1" "$1"
      mount --rbind /usr "$1/usr"
      mount -o remount,bind,ro "$1/usr"
      mount --bind "$1/local" "$1/usr/local"
      mount --rbind /dev "$1/dev"
      mount --rbind /proc "$1/proc"
      mount --rbind /etc/alternatives "$1/etc/alternatives"
      exec chroot "$1" bash --norc -c "$2"`;
    const { exitCode, stdout, stderr } = await execa(
      "unshare",
      ["--map-root-user", "--mount", "sh", "-ec", enter, "enter", this.root, command],
      {
        input,
        reject: false,
        timeout: 20_000,
        env: { PATH: "/usr/local/bin:/usr/bin:/usr/sbin", HOME: "/root", LC_ALL: "C" },
        extendEnv: false,
      },
    );
    return { exitCode, stdout, stderr };
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
