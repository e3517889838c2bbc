import {
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { cached } from "../../../lab/cache.ts";

let home: string;
let made: number;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "cache-test-"));
  vi.stubEnv("XDG_CACHE_HOME", home);
  made = 0;
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(home, { recursive: true });
});

async function make(dir: string): Promise<void> {
  made += 1;
  await mkdir(join(dir, "bin"));
  await writeFile(join(dir, "bin/tool"), "0123456789");
  await symlink("bin/tool", join(dir, "tool"));
}

const root = (): string => join(home, "openstack-kubernetes");

describe("cached", () => {
  it("makes an entry once and finds it again, whatever the order of the inputs' keys", async () => {
    const first = await cached("part", { a: 1, b: { c: 2, d: 3 } }, make);
    const second = await cached("part", { b: { d: 3, c: 2 }, a: 1 }, make);
    expect(second).toBe(first);
    expect(first).toMatch(/\/part-[0-9a-f]{16}$/);
    expect(made).toBe(1);
  });

  it("makes another entry for other inputs", async () => {
    const first = await cached("part", { a: 1 }, make);
    const second = await cached("part", { a: 2 }, make);
    expect(second).not.toBe(first);
    expect(made).toBe(2);
  });

  const damage: Record<string, (entry: string) => Promise<void>> = {
    "a file is missing": (entry) => rm(join(entry, "bin/tool")),
    "a file was cut off": (entry) => truncate(join(entry, "bin/tool"), 4),
    "a file has other content of the same size": (entry) => writeFile(join(entry, "bin/tool"), "abcdefghij"),
    "a link is missing": (entry) => rm(join(entry, "tool")),
    "a link became a file": async (entry) => {
      await rm(join(entry, "tool"));
      await writeFile(join(entry, "tool"), "");
    },
    "the manifest is missing": (entry) => rm(join(entry, ".manifest.json")),
    "the manifest was cut off": (entry) => truncate(join(entry, ".manifest.json"), 10),
  };
  it.each(Object.entries(damage))("makes an entry again of which %s", async (_, harm) => {
    const entry = await cached("part", 1, make);
    await harm(entry);
    expect(await cached("part", 1, make)).toBe(entry);
    expect(made).toBe(2);
    expect(await readFile(join(entry, "tool"), "utf8")).toBe("0123456789");
  });

  it("keeps an entry of which only the time of a file changed", async () => {
    const entry = await cached("part", 1, make);
    await utimes(join(entry, "bin/tool"), 1, 1);
    await cached("part", 1, make);
    expect(made).toBe(1);
  });

  it("leaves nothing behind when making fails, and makes the entry next time", async () => {
    const fail = async (dir: string): Promise<void> => {
      await make(dir);
      throw new Error("broken build");
    };
    await expect(cached("part", 1, fail)).rejects.toThrow("broken build");
    expect(await readdir(root())).toEqual([]);
    await cached("part", 1, make);
    expect(made).toBe(2);
  });

  it("takes away what a killed process left, and nothing of a live one", async () => {
    const entry = await cached("part", 1, make);
    await rm(entry, { recursive: true });
    const name = `.${entry.split("/").at(-1)}`;
    const dead = join(root(), `${name}.999999999`);
    const live = join(root(), `${name}.1`);
    await mkdir(dead);
    await mkdir(live);
    await cached("part", 1, make);
    expect((await readdir(root())).sort()).toEqual([`${name}.1`, name.slice(1)]);
  });

  it("makes an entry once for two that ask at the same time", async () => {
    const [first, second] = await Promise.all([cached("part", 1, make), cached("part", 1, make)]);
    expect(first).toBe(second);
    expect(made).toBe(1);
  });
});
