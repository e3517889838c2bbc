// Stands in for the plugin of @pulumi/kubernetes 4.34.2 where that cannot be downloaded.
import type { Resource } from "../shared/resource.ts";
import { serve } from "../shared/serve.ts";
import { diffSettings, readSettings } from "./settings.ts";

let settings = readSettings({});
let objects: Promise<import("./objects.ts").Objects> | undefined;

async function lookup(type: string): Promise<Resource | undefined> {
  objects ??= import("./objects.ts").then(({ Objects }) => new Objects(settings));
  return (await objects).resource(type);
}

if (import.meta.main) {
  await serve("4.34.2", lookup, {
    configure: (given) => {
      settings = readSettings(given);
    },
    diff: diffSettings,
  });
}
