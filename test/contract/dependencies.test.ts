import { readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { repo } from "../helpers/project.ts";

/** Licences that ask to name the authors, or for nothing. */
const allowed = new Set([
  "0BSD",
  "Apache-2.0",
  "BlueOak-1.0.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "CC0-1.0",
  "ISC",
  "MIT",
  "PSF-2.0",
  "Python-2.0",
  "Unlicense",
]);
/** What a package's own description leaves open, as its licence file or another field of it says, and why it may be. */
const others: Record<string, string> = {
  "@logdna/tail-file": "MIT, in its file LICENSE",
  buildcheck: "MIT, in its field licenses",
  "cpu-features": "MIT, in its field licenses",
  ssh2: "MIT, in its field licenses",
  "spdx-exceptions": "CC-BY-3.0 for a list of names",
  lightningcss: "MPL-2.0, part of vitest; no file of it is changed or handed on",
};

interface Package {
  name: string;
  license: string;
}

const { packages } = JSON.parse(readFileSync(join(repo, "package-lock.json"), "utf8")) as {
  packages: Record<string, { license?: string }>;
};
const installed = Object.entries(packages).map(([path, { license = "none" }]): Package => ({
  name: path.split("node_modules/").at(-1)!,
  license,
}));

/** A program for one system goes by the package that it belongs to. */
const known = (name: string) =>
  Object.keys(others).find((other) => name === other || name.startsWith(`${other}-`));
const isAllowed = ({ name, license }: Package) =>
  license
    .replaceAll(/[()]/g, "")
    .split(" AND ")
    .every((one) => allowed.has(one)) || known(name) !== undefined;

describe("dependencies", () => {
  it("have licences that are allowed", () => {
    expect(installed.length).toBeGreaterThan(100);
    expect(installed.filter((one) => !isAllowed(one))).toEqual([]);
  });

  it("are all there of which an exception is made", () => {
    const excepted = installed.map(({ name }) => known(name));
    for (const name of Object.keys(others)) expect(excepted).toContain(name);
  });

  it(
    "have no hole of high severity that npm knows of, where the registry can be asked",
    { timeout: 5 * 60_000 },
    async () => {
      const { stdout, stderr } = await execa("npm", ["audit", "--json", "--fetch-retries=0"], {
        cwd: repo,
        reject: false,
      });
      const answer = JSON.parse(stdout || "{}") as {
        vulnerabilities?: Record<string, { severity: string }>;
        message?: string;
      };
      // A mirror of the registry, or no network.
      if (answer.vulnerabilities === undefined)
        console.warn(`npm audit: not checked: ${answer.message ?? stderr}`);
      const holes = Object.entries(answer.vulnerabilities ?? {}).filter(([, { severity }]) =>
        ["high", "critical"].includes(severity),
      );
      expect(holes).toEqual([]);
    },
  );
});
