import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { lab } from "../../../lab/paths.ts";

/** Docker's client out of the packages that the nodes install, unpacked into a folder: this machine needs none. */
export async function dockerCommand(folder: string): Promise<string> {
  const pool = lab("mirror", "debian", "pool");
  const file = (await readdir(pool)).find((name) => name.startsWith("docker-cli_"));
  if (file === undefined) throw new Error(`no docker-cli in ${pool}`);
  await mkdir(folder, { recursive: true });
  await execa("dpkg-deb", ["--extract", join(pool, file), folder]);
  return join(folder, "usr/bin/docker");
}

/** Writes `cert.pem` and `key.pem` of a client into a folder, signed by an authority that nobody knows. */
export async function writeStrangersCertificate(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const request = (name: string, ...args: string[]) => {
    const make = `req -x509 -newkey rsa:2048 -nodes -subj /CN=${name}`.split(" ");
    return execa("openssl", [...make, ...args], { cwd: folder });
  };
  await request("another-ca", "-keyout", "ca.key", "-out", "ca.pem");
  const signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-addext", "extendedKeyUsage=clientAuth"];
  await request("docker-client", "-keyout", "key.pem", "-out", "cert.pem", ...signed);
}
