// Stands in for the plugin of @pulumi/command 1.2.1 where that cannot be downloaded.
import type { Resource } from "../shared/resource.ts";
import { serve } from "../shared/serve.ts";

/** The resource types of this plugin, loaded when the first of a type is seen. */
export async function lookup(type: string): Promise<Resource | undefined> {
  switch (type) {
    case "command:remote:Command":
      return (await import("./remote-command.ts")).remoteCommand;
    case "command:remote:CopyToRemote":
      return (await import("./copy-to-remote.ts")).copyToRemote;
    case "command:local:Command":
      return (await import("./local-command.ts")).localCommand;
    default:
      return undefined;
  }
}

if (import.meta.main) await serve("1.2.1", lookup);
