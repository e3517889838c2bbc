import { createServer, type Server } from "node:net";

/** Takes a lock that the kernel drops with this process, however it ends; undefined where another has it. */
export async function tryLock(name: string): Promise<Server | undefined> {
  // An abstract socket is a name without a file.
  const server = createServer();
  const taken = await new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(`\0${name}`, () => resolve(true));
  });
  server.unref();
  return taken ? server : undefined;
}
