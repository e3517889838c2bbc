import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { engine } from "../../lab/engine/engine.ts";
import { repo } from "../../lab/paths.ts";

interface Names {
  inputs: string[];
  outputs: string[];
  secret: string[];
}

const sdk = join(repo, "node_modules/@pulumi/openstack");

function statements(file: string): readonly ts.Statement[] {
  const path = join(sdk, file);
  return ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true).statements;
}

function find<T extends ts.Node>(
  nodes: readonly ts.Node[],
  is: (node: ts.Node) => node is T,
  name: string,
): T {
  const found = nodes
    .filter(is)
    .find((node) => (node as unknown as { name: ts.Identifier }).name.text === name);
  if (found === undefined) throw new Error(`${name} is not in the SDK`);
  return found;
}

const nested = { inputs: statements("types/input.d.ts"), outputs: statements("types/output.d.ts") };

/** Names of the fields of a class or interface, those of nested objects behind a dot. */
function fields(members: readonly ts.Node[], prefix = ""): string[] {
  return members.flatMap((member) => {
    if (!ts.isPropertyDeclaration(member) && !ts.isPropertySignature(member)) return [];
    if (member.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.StaticKeyword) ?? false) return [];
    const name = prefix + member.name.getText();
    const reference = /\b(inputs|outputs)\.(\w+)\.(\w+)/.exec(member.type?.getText() ?? "");
    if (reference === null) return [name];
    const [, kind, module, type] = reference as unknown as [string, keyof typeof nested, string, string];
    const body = find(nested[kind], ts.isModuleDeclaration, module).body as ts.ModuleBlock;
    return [name, ...fields(find(body.statements, ts.isInterfaceDeclaration, type).members, `${name}.`)];
  });
}

const capital = (name: string): string => name.slice(0, 1).toUpperCase() + name.slice(1);

/** What the SDK knows of a resource or function by its token, `openstack:<module>/<file>:<Name>`. */
function ofSdk(token: string): Pick<Names, "inputs" | "outputs"> {
  const [, module = "", name = ""] = token.split(":");
  if (module === "providers") {
    const args = find(statements("provider.d.ts"), ts.isInterfaceDeclaration, "ProviderArgs");
    return { inputs: fields(args.members), outputs: [] };
  }
  const all = statements(`${module}.d.ts`);
  const args = find(all, ts.isInterfaceDeclaration, `${capital(name)}Args`);
  const result = name.startsWith("get")
    ? find(all, ts.isInterfaceDeclaration, `${capital(name)}Result`)
    : find(all, ts.isClassDeclaration, name);
  return { inputs: fields(args.members), outputs: fields(result.members) };
}

/** Outputs that the SDK marks as secret. */
function secretOfSdk(token: string): string[] {
  const [, module = ""] = token.split(":");
  const file = module === "providers" ? "provider.js" : `${module}.js`;
  const text = readFileSync(join(sdk, file), "utf8");
  const list = /additionalSecretOutputs: (\[.*?\])/.exec(text)?.[1] ?? "[]";
  return JSON.parse(list) as string[];
}

/** Every function's result has the engine's own `id`, which Terraform does not list. */
const sorted = (names: readonly string[]): string[] => names.filter((name) => name !== "id").sort();

/** Our own plugin, which is used only where the official one cannot be had. */
const folder = (await engine()).find((path) => path.includes("/pulumi-resource-openstack-"));
const plugin: Record<string, Names> =
  folder === undefined
    ? {}
    : (JSON.parse(
        (await execa(join(folder, "pulumi-resource-openstack"), ["names"])).stdout,
      ) as typeof plugin);

/** Tokens of the resources that the program makes. */
function usedByProgram(): string[] {
  const folder = join(repo, "components");
  const text = readdirSync(folder).map((file) => readFileSync(join(folder, file), "utf8"));
  return [...text.join("").matchAll(/\bnew openstack\.(\w+)\.(\w)(\w+)\(/g)].map(
    ([, module, first, rest]) => `openstack:${module}/${first!.toLowerCase()}${rest}:${first}${rest}`,
  );
}

describe.skipIf(folder === undefined)("names of the OpenStack plugin and of its SDK", () => {
  it("are there for every resource of the program", () => {
    const used = usedByProgram();
    expect(used).toContain("openstack:compute/instance:Instance");
    expect(used.filter((token) => !(token in plugin))).toEqual([]);
  });

  it.each(Object.keys(plugin))("%s", (token) => {
    const expected = ofSdk(token);
    const actual = plugin[token];
    expect(sorted(actual?.inputs ?? [])).toEqual(sorted(expected.inputs));
    // The SDK does not say which results of a function are secret.
    if (!token.includes("/get")) expect(sorted(actual?.secret ?? [])).toEqual(sorted(secretOfSdk(token)));
    if (token !== "pulumi:providers:openstack") {
      expect(sorted(actual?.outputs ?? [])).toEqual(sorted(expected.outputs));
    }
  });
});
