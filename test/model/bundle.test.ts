import { existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from "node:fs";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bundle, file, pack, unpack, type File, type Files } from "../../model/bundle.ts";
import { installAndConverge } from "../../model/commands.ts";
import { Machine } from "../helpers/machine.ts";
import { planOf } from "../helpers/cluster.ts";

const converge = "/usr/local/lib/openstack-kubernetes/converge.sh";

describe("bundle", () => {
  it("is readable text in the order of the paths", () => {
    expect(bundle({ "/b": { content: "two\nlines\n", mode: "0755" }, "/a": file("one\n") })).toBe(
      "==> 0644 /a\none\n==> 0755 /b\ntwo\nlines\n",
    );
  });

  it("does not depend on the order in which files were put in", () => {
    const { files } = planOf().controlPlane;
    expect(bundle(Object.fromEntries(Object.entries(files).reverse()))).toBe(bundle(files));
  });

  it("gives back every file, byte for byte", () => {
    const line = fc.string({ maxLength: 10 }).map((text) => text.replaceAll("\n", ""));
    const content = fc.array(
      line.filter((text) => !text.startsWith("==> ")),
      { minLength: 1 },
    );
    const mode = fc.constantFrom("0600", "0644", "0755");
    const path = fc.stringMatching(/^\/[a-z./-]{1,12}$/);
    const files = fc.dictionary(
      path,
      fc.record({ content: content.map((lines) => `${lines.join("\n")}\n`), mode }),
    ) as fc.Arbitrary<Files>;
    fc.assert(
      fc.property(files, (all) => {
        expect(unpack(pack(all))).toEqual({ ...all });
      }),
    );
    const { files: ofNode } = planOf().controlPlane;
    expect(unpack(pack(ofNode))).toEqual(ofNode);
  });

  it("refuses what it could not give back", () => {
    expect(() => bundle({ "/a": file("==> here\n") })).toThrow('/a: no line of a file may begin with "==> "');
    expect(() => bundle({ "/a": file("x\n==> here\n") })).toThrow(
      '/a: no line of a file may begin with "==> "',
    );
    expect(() => bundle({ "/a": file("x") })).toThrow("/a: must end with a newline");
    expect(() => unpack("hello")).toThrow();
  });

  it("is read as states of earlier versions have it", () => {
    const { files } = planOf().workers[0]!;
    expect(unpack(bundle(files))).toEqual(files);
  });

  it("is the same on every machine at any time, and less than half its size", () => {
    // As fflate 0.8.3 writes it; other bytes would be a change of every node.
    expect(pack({ "/etc/a": file("a\n".repeat(20)) })).toBe(
      "H4sIAAAAAAAAA7O1tVMwMDMxUdBPLUnWT+QiFgIA+bNzfzgAAAA=",
    );
    const { files } = planOf().controlPlane;
    expect(pack(files).length * 2).toBeLessThan(bundle(files).length);
  });
});

describe("install-files.sh", () => {
  let machine: Machine;
  beforeEach(() => {
    machine = new Machine();
  });
  afterEach(() => {
    machine.remove();
  });

  /** Of files, a script that converges among them unless they have one of their own. */
  const install = (files: Files | string) =>
    machine.run(
      installAndConverge,
      typeof files === "string" ? files : pack({ [converge]: script("true"), ...files }),
    );
  const done = { exitCode: 0, stdout: "", stderr: "" };
  const found = (path: string): File => ({
    content: readFileSync(machine.path(path), "utf8"),
    mode: `0${(statSync(machine.path(path)).mode & 0o777).toString(8)}` as File["mode"],
  });
  const foundAll = (files: Files) =>
    Object.fromEntries(Object.keys(files).map((path) => [path, found(path)]));
  const leftOvers = () =>
    readdirSync(machine.path("/var/lib/openstack-kubernetes")).filter((name) => name.startsWith("stage"));
  const identity = (path: string) => {
    const { mtimeMs, ino } = statSync(machine.path(path));
    return [mtimeMs, ino];
  };

  it("puts every file of a control-plane node into place, byte for byte, with its mode", async () => {
    const { files } = planOf({ runtime: "docker" }).controlPlane;
    const { [converge]: _script, ...others } = files;
    expect(await install(others)).toEqual(done);
    expect(foundAll(others)).toEqual(others);
    expect(leftOvers()).toEqual([]);
  });

  it("gives back any text", { timeout: 30_000 }, async () => {
    const line = fc.string({ unit: "binary" }).map((text) => text.replaceAll(/[\0\n]/g, ""));
    const content = fc.array(line).map((lines) => lines.map((text) => `${text}\n`).join(""));
    const modes = fc.constantFrom<File["mode"][]>("0600", "0644", "0755");
    const paths = fc
      .stringMatching(/^\/[a-z]{1,3}\/[A-Za-z0-9._-]{1,20}$/)
      .filter((path) => !/\/\.+$/.test(path));
    const files = fc
      .dictionary(
        paths.map((path) => `/opt${path}`),
        fc.record({ content, mode: modes }),
        { minKeys: 1 },
      )
      .filter((some) =>
        Object.values(some).every((one) => one.content !== "" && !/^==> /m.test(one.content)),
      );
    await fc.assert(
      fc.asyncProperty(files, async (some) => {
        expect(await install(some)).toEqual(done);
        expect(foundAll(some)).toEqual(some);
      }),
      { numRuns: 4 },
    );
  });

  it("makes folders that all may enter, and keeps secrets from others", async () => {
    await install({ "/etc/new/folder/key": { content: "secret\n", mode: "0600" } });
    expect(found("/etc/new/folder/key").mode).toBe("0600");
    expect(statSync(machine.path("/etc/new/folder")).mode & 0o777).toBe(0o755);
    expect(statSync(machine.path("/var/lib/openstack-kubernetes")).mode & 0o077).toBe(0);
  });

  it("changes nothing when run again", async () => {
    const files = { "/etc/a": file("a\n"), "/etc/b": { content: "b\n", mode: "0755" } } satisfies Files;
    await install(files);
    for (const path of Object.keys(files)) utimesSync(machine.path(path), 1000, 1000);
    const before = Object.keys(files).map(identity);
    expect(await install(files)).toEqual(done);
    expect(Object.keys(files).map(identity)).toEqual(before);
  });

  it("renews only files whose content or mode differs", async () => {
    await install({ "/etc/a": file("a\n"), "/etc/b": file("b\n"), "/etc/c": file("c\n") });
    const before = identity("/etc/a");
    const files: Files = {
      "/etc/a": file("a\n"),
      "/etc/b": file("new\n"),
      "/etc/c": { content: "c\n", mode: "0600" },
    };
    expect(await install(files)).toEqual(done);
    expect(foundAll(files)).toEqual(files);
    expect(identity("/etc/a")).toEqual(before);
  });

  it("brings back a file that was deleted or edited on the machine", async () => {
    const files = { "/etc/a": file("a\n"), "/etc/b": file("b\n") };
    await install(files);
    rmSync(machine.path("/etc/a"));
    machine.write("/etc/b", "edited\n");
    expect(await install(files)).toEqual(done);
    expect(foundAll(files)).toEqual(files);
  });

  it("takes away what an earlier bundle had, keys among it", async () => {
    const key: File = { content: "k\n", mode: "0600" };
    await install({ "/etc/a": file("a\n"), "/etc/b": file("b\n"), "/etc/key": key, "/etc/old": key });
    expect(await install({ "/etc/a": file("a\n"), "/etc/key": key })).toEqual(done);
    const paths = ["/etc/a", "/etc/b", "/etc/key", "/etc/old"];
    expect(paths.filter((path) => existsSync(machine.path(path)))).toEqual(["/etc/a", "/etc/key"]);
    expect(await install({ "/etc/a": file("a\n") })).toEqual(done);
    expect(paths.filter((path) => existsSync(machine.path(path)))).toEqual(["/etc/a"]);
  });

  it("keeps a file that becomes a secret, and one that is none any more", async () => {
    const files = (mode: File["mode"]): Files => ({ "/etc/a": { content: "a\n", mode } });
    for (const mode of ["0644", "0600", "0644"] as const) {
      expect(await install(files(mode))).toEqual(done);
      expect(foundAll(files(mode))).toEqual(files(mode));
    }
  });

  it.each([
    ["is empty", ""],
    ["is no bundle", "hello\n"],
    ["was cut off", pack({ "/etc/new": file("a\n") }).slice(0, -8)],
  ])("refuses an input that %s, and touches nothing", async (_what, input) => {
    await install({ "/etc/a": file("a\n") });
    const outcome = await install(input);
    expect(outcome.exitCode).toBe(1);
    expect(outcome.stderr).toMatch(
      /: installing its files failed: what arrived on standard input is not a whole bundle$/,
    );
    expect(["/etc/a", "/etc/new"].map((path) => existsSync(machine.path(path)))).toEqual([true, false]);
    expect(leftOvers()).toEqual([]);
  });

  it("refuses an input without files that are no secrets", async () => {
    const outcome = await install(pack({ "/etc/key": { content: "k\n", mode: "0600" } }));
    expect(outcome.exitCode).toBe(1);
    expect(outcome.stderr).toContain("installing its files failed: no files arrived on standard input");
    expect(existsSync(machine.path("/etc/key"))).toBe(false);
  });

  it("says so when cloud-init did not finish, and takes its warnings for done", async () => {
    machine.program("cloud-init", "exit 1");
    const failed = await install({ "/etc/a": file("a\n") });
    expect(failed.exitCode).toBe(1);
    expect(failed.stderr).toContain("cloud-init did not finish");
    machine.program("cloud-init", "exit 2");
    expect(await install({ "/etc/a": file("a\n") })).toEqual(done);
  });

  it("stands two runs at once", async () => {
    const bundles = ["one", "two"].map((text): Files =>
      Object.fromEntries(Array.from({ length: 15 }, (_, n) => [`/etc/many/${n}`, file(`${text} ${n}\n`)])),
    );
    expect(await Promise.all(bundles.map((files) => install(files)))).toEqual([done, done]);
    // All of one of them, no mixture.
    const [first] = found("/etc/many/0").content.split(" ");
    for (const path of Object.keys(bundles[0]!))
      expect(found(path).content).toMatch(new RegExp(`^${first} `));
    expect(leftOvers()).toEqual([]);
  });

  it("converges with the files in place, and fails when that fails", async () => {
    const files = { "/etc/a": file("a\n"), [converge]: script("cat /etc/a; exit 7") };
    expect(await install(files)).toEqual({ exitCode: 7, stdout: "a", stderr: "" });
  });

  it("takes away what a run that was killed left, keys among it, and installs none of it", async () => {
    machine.write("/var/lib/openstack-kubernetes/stage/secrets/1", "key\n", "0600");
    machine.write("/var/lib/openstack-kubernetes/stage/secrets/list", "0600 /etc/old\n");
    expect((await install("")).exitCode).toBe(1);
    expect(existsSync(machine.path("/etc/old"))).toBe(false);
    expect(leftOvers()).toEqual([]);
  });

  it("leaves no copy of the files while the node converges", async () => {
    const files = { "/etc/a": file("a\n"), [converge]: script("ls /var/lib/openstack-kubernetes") };
    expect(await install(files)).toEqual({ ...done, stdout: "files.files\nfiles.secrets" });
  });

  it("reads nothing of root's own shell settings", async () => {
    machine.write("/root/.bashrc", "echo noise\n");
    expect(await install({ "/etc/key": file("1\n") })).toEqual(done);
  });

  function script(text: string): File {
    return { content: `#!/bin/bash\n${text}\n`, mode: "0755" };
  }
});
