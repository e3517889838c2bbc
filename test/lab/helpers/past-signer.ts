import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { repo } from "../../../lab/paths.ts";

/**
 * A folder with the lab's plugin of tls, whose clock is behind by so many minutes: what it signs ends as much earlier.
 * Everything else goes by the true time.
 */
export async function pastSigner(folder: string, minutes: number): Promise<string> {
  const clock = `
const Now = Date;
const behind = ${minutes * 60_000};
globalThis.Date = class extends Now {
  constructor(...time) {
    super(...(time.length > 0 ? time : [Now.now() - behind]));
  }
  static now() {
    return Now.now() - behind;
  }
};`;
  const plugin = join(repo, "lab", "plugins", "tls", "main.ts");
  const early = `data:text/javascript,${encodeURIComponent(clock).replaceAll("'", "%27")}`;
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, "pulumi-resource-tls"),
    `#!/bin/sh\nexec '${process.execPath}' --import '${early}' '${plugin}' "$@"\n`,
    { mode: 0o755 },
  );
  return folder;
}
