import { inLabRun } from "../../../lab/client/run.ts";
import { patience } from "./patience.ts";

/** kubectl for one cluster, run inside the lab. */
export class Kubectl {
  readonly #kubeconfig: string;

  constructor(kubeconfig: string) {
    this.#kubeconfig = kubeconfig;
  }

  /** Standard output of a command. */
  run(args: readonly string[], input?: string): Promise<string> {
    const command = ["kubectl", `--kubeconfig=${this.#kubeconfig}`, "--request-timeout=30s", ...args];
    return inLabRun(command, { input, limit: 120 * patience });
  }

  /** An object, or a list of them, as the API has it. */
  async get<T>(...args: string[]): Promise<T> {
    return JSON.parse(await this.run(["get", ...args, "--output=json"])) as T;
  }

  /** Standard output of a shell script in a pod. */
  sh(namespace: string, pod: string, script: string): Promise<string> {
    return this.run(["exec", `--namespace=${namespace}`, pod, "--", "sh", "-ec", script]);
  }

  apply(objects: readonly object[]): Promise<string> {
    return this.run(["apply", "--filename=-"], objects.map((object) => JSON.stringify(object)).join("\n"));
  }
}
