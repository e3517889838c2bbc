import { readdirSync, readFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";

// What holds for every source file of the program; exceptions may only become fewer.

const repo = join(import.meta.dirname, "../..");

interface Source {
  path: string;
  text: string;
  tree: ts.SourceFile;
}

function sourcesBelow(folder: string): Source[] {
  return readdirSync(join(repo, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => source(relative(repo, join(entry.parentPath, entry.name))))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

function source(path: string): Source {
  const text = readFileSync(join(repo, path), "utf8");
  return { path, text, tree: ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true) };
}

const model = sourcesBelow("model");
const components = sourcesBelow("components");
const cli = sourcesBelow("cli");
const destroy = sourcesBelow("destroy");
const index = source("index.ts");
const program = [index, ...model, ...components, ...cli, ...destroy];

function all<T extends ts.Node>(root: ts.Node, is: (node: ts.Node) => node is T): T[] {
  const found: T[] = [];
  const visit = (node: ts.Node) => {
    if (is(node)) found.push(node);
    ts.forEachChild(node, visit);
  };
  visit(root);
  return found;
}

const imports = ({ tree }: Source) =>
  all(tree, ts.isImportDeclaration).map((node) => (node.moduleSpecifier as ts.StringLiteral).text);

const isExported = (node: ts.Node) =>
  ts.canHaveModifiers(node) &&
  (ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);

const hasComment = (node: ts.Node) => ts.getJSDocCommentsAndTags(node).length > 0;

describe("length", () => {
  it("index.ts has 60 lines at most", () => {
    expect(index.text.split("\n").length).toBeLessThanOrEqual(60);
  });

  it.each(program)("$path has 250 lines at most", ({ text }) => {
    expect(text.split("\n").length).toBeLessThanOrEqual(250);
  });
});

describe("components/", () => {
  const classes = components.flatMap((file) =>
    all(file.tree, ts.isClassDeclaration)
      .filter((node) =>
        node.heritageClauses?.some((clause) => /\bComponentResource\b/.test(clause.getText())),
      )
      .map((node) => ({ file, node, name: node.name!.text })),
  );

  /** Hold something in the state; what they make comes from a function. */
  const childless = ["Foundations"];

  it.each(components)("$path holds one component at most, named as the file", ({ path }) => {
    const inFile = classes.filter(({ file }) => file.path === path).map(({ name }) => name);
    const fileName = basename(path, ".ts").replaceAll("-", "");
    expect(inFile.length).toBeLessThanOrEqual(1);
    for (const name of inFile) expect(name.toLowerCase()).toBe(fileName);
  });

  it.each(components)("$path has no text of files: nothing of several lines", ({ tree }) => {
    const texts = [...all(tree, ts.isStringLiteral), ...all(tree, ts.isTemplateLiteral)];
    for (const text of texts) expect(text.getText()).not.toMatch(/\n|\\n.*\S.*\\n/);
  });

  describe.each(classes)("$name", ({ node, name }) => {
    const constructor = node.members.find(ts.isConstructorDeclaration)!;
    const calls = all(constructor, ts.isCallExpression);

    it("has a type token of its own name", () => {
      const call = calls.find(({ expression }) => expression.kind === ts.SyntaxKind.SuperKeyword)!;
      const [token, first, , options] = call.arguments;
      expect((token as ts.StringLiteral).text).toMatch(new RegExp(`^openstack-kubernetes:[a-z]+:${name}$`));
      expect(first?.getText()).toBe("name");
      expect(options?.getText()).toBe("opts");
    });

    it("registers its outputs, last of all", () => {
      const last = constructor.body!.statements.at(-1)!.getText();
      expect(last).toMatch(/^this\.registerOutputs\(/);
    });

    it("is the parent of its children and begins their names with its own", () => {
      const made = all(constructor, ts.isNewExpression).filter(({ arguments: given }) => given?.length === 3);
      if (!childless.includes(name)) expect(made.length).toBeGreaterThan(0);
      // `const parent = { parent: this, … }` stands for the object itself.
      const shared = all(constructor, ts.isVariableDeclaration)
        .filter(({ name: variable }) => variable.getText() === "parent")
        .map(({ initializer }) => initializer?.getText() ?? "");
      for (const text of shared) expect(text).toContain("parent: this");
      for (const { arguments: given } of made) {
        const [childName, , options] = given!;
        expect(childName!.getText()).toMatch(/^`\$\{name\}-/);
        const text = options!.getText();
        if (!text.includes("parent: this")) {
          expect(text).toMatch(/^parent$|\.\.\.parent\b/);
          expect(shared).toHaveLength(1);
        }
      }
    });

    it("takes a name, its arguments and options", () => {
      const types = constructor.parameters.map(({ type }) => type?.getText());
      expect(types).toHaveLength(3);
      expect([types[0], types[2]]).toEqual(["string", "pulumi.ComponentResourceOptions"]);
    });
  });

  it("make no resource inside apply", () => {
    for (const { path, tree } of components) {
      const applies = all(tree, ts.isCallExpression).filter(({ expression }) =>
        /\.apply$/.test(expression.getText()),
      );
      for (const call of applies) {
        for (const argument of call.arguments) expect(all(argument, ts.isNewExpression).length, path).toBe(0);
      }
    }
  });
});

describe("comments", () => {
  it.each([...model, ...components, ...cli])(
    "$path documents every exported function and class",
    ({ tree }) => {
      const undocumented = tree.statements
        .filter((node) => (ts.isFunctionDeclaration(node) || ts.isClassDeclaration(node)) && isExported(node))
        .filter((node) => !hasComment(node))
        .map((node) => (node as ts.FunctionDeclaration | ts.ClassDeclaration).name?.text);
      expect(undocumented).toEqual([]);
    },
  );

  it("leave nothing to be done", () => {
    for (const { path, text } of program) expect(text, path).not.toMatch(/\b(TODO|FIXME|XXX|HACK)\b/);
  });
});

describe("imports", () => {
  it.each(program)("$path names files of the project with their ending", (file) => {
    for (const name of imports(file).filter((name) => name.startsWith(".")))
      expect(name).toMatch(/\.(ts|json)$/);
  });
});
