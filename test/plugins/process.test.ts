import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { createRequire } from "node:module";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type * as Grpc from "@grpc/grpc-js";
import type * as EngineServices from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import type * as Services from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import type * as Messages from "@pulumi/pulumi/proto/provider_pb.js";
import type { Struct } from "google-protobuf/google/protobuf/struct_pb.js";
import { isSecret, plain, secret, unknown } from "../../lab/plugins/shared/values.ts";
import type { Props } from "../../lab/plugins/shared/values.ts";
import { FakeApiServer, newCertificates } from "./fake-api-server.ts";
import { urnOf } from "./support.ts";

const sdk = createRequire(import.meta.resolve("@pulumi/pulumi/provider/server.js"));
const grpc = sdk("@grpc/grpc-js") as typeof Grpc;
const { ResourceProviderClient } = sdk("../proto/provider_grpc_pb") as typeof Services;
const { EngineService } = sdk("../proto/engine_grpc_pb") as typeof EngineServices;
const messages = sdk("../proto/provider_pb") as typeof Messages;
const { Empty } = sdk("google-protobuf/google/protobuf/empty_pb");
const structs = sdk("google-protobuf/google/protobuf/struct_pb") as { Struct: typeof Struct };

const started: ChildProcess[] = [];
const closers: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
  for (const close of closers.splice(0)) await close();
});

/** A plugin as the engine runs it: its own process, its port on standard output, gRPC. */
class Plugin {
  readonly client: Services.ResourceProviderClient;
  readonly child: ChildProcess;

  private constructor(client: Services.ResourceProviderClient, child: ChildProcess) {
    this.client = client;
    this.child = child;
  }

  static async start(name: string, ...parameters: string[]): Promise<Plugin> {
    const main = join(import.meta.dirname, "../../lab/plugins", name, "main.ts");
    const child = spawn(process.execPath, [main, ...parameters], { stdio: ["ignore", "pipe", "inherit"] });
    started.push(child);
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    expect(line.toString()).toMatch(/^\d+\n$/);
    const client = new ResourceProviderClient(
      `127.0.0.1:${line.toString().trim()}`,
      grpc.credentials.createInsecure(),
    );
    closers.push(() => client.close());
    return new Plugin(client, child);
  }

  call<T>(method: string, request: unknown): Promise<T> {
    return new Promise((resolve, reject) => {
      const methods = this.client as unknown as Record<
        string,
        (request: unknown, answer: (error: Error | null, value: T) => void) => void
      >;
      methods[method]!.call(this.client, request, (error, value) => (error ? reject(error) : resolve(value)));
    });
  }

  async configure(settings: Props): Promise<Messages.ConfigureResponse> {
    const request = new messages.ConfigureRequest();
    request.setArgs(structs.Struct.fromJavaScript(settings as never));
    request.setAcceptsecrets(true);
    return this.call("configure", request);
  }

  async check(type: string, news: Props): Promise<Props> {
    const request = new messages.CheckRequest();
    request.setUrn(urnOf(type));
    request.setOlds(structs.Struct.fromJavaScript({}));
    request.setNews(structs.Struct.fromJavaScript(news as never));
    return (await this.call<Messages.CheckResponse>("check", request)).getInputs()!.toJavaScript();
  }

  async create(type: string, inputs: Props, timeout = 0): Promise<Props> {
    const request = new messages.CreateRequest();
    request.setUrn(urnOf(type));
    request.setTimeout(timeout);
    request.setProperties(structs.Struct.fromJavaScript(inputs as never));
    return (await this.call<Messages.CreateResponse>("create", request)).getProperties()!.toJavaScript();
  }
}

/** Takes the place of the engine's own service, to see what is logged. */
class FakeEngine extends EventEmitter<{ line: [string, boolean] }> {
  async listen(): Promise<string> {
    const server = new grpc.Server();
    const log = (
      { request }: { request: { getMessage(): string; getEphemeral(): boolean } },
      answer: (error: null, value: unknown) => void,
    ) => {
      this.emit("line", request.getMessage(), request.getEphemeral());
      answer(null, new Empty());
    };
    const rest = Object.fromEntries(Object.keys(EngineService).map((name) => [name, () => {}]));
    server.addService(EngineService, { ...rest, log });
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    closers.push(() => server.forceShutdown());
    return `127.0.0.1:${port}`;
  }
}

describe.each([
  ["tls", "5.6.1"],
  ["command", "1.2.1"],
  ["kubernetes", "4.34.2"],
])("the plugin %s", (name, version) => {
  test("starts, tells its version and takes secrets", async () => {
    const plugin = await Plugin.start(name, "--logtostderr", "-v=9", "127.0.0.1:1");
    const info = await plugin.call<{ getVersion(): string }>("getPluginInfo", new Empty());
    expect(info.getVersion()).toBe(version);
    expect((await plugin.configure({})).getAcceptsecrets()).toBe(true);
  });

  test("stands in for the version of the npm package", () => {
    expect(createRequire(import.meta.url)(`@pulumi/${name}/package.json`).version).toBe(version);
  });
});

describe("over gRPC", () => {
  test("secrets come marked and go marked", async () => {
    const plugin = await Plugin.start("command");
    const inputs = await plugin.check("command:local:Command", {
      create: "cat",
      stdin: secret("word"),
      environment: { A: unknown },
    });
    expect(isSecret(inputs.stdin)).toBe(true);
    expect(inputs.environment).toEqual({ A: unknown });
    const outs = await plugin.create("command:local:Command", { create: "cat", stdin: secret("word") });
    expect(isSecret(outs.stdin)).toBe(true);
    expect(outs.stdout).toBe("word");
    const key = await (
      await Plugin.start("tls")
    ).create("tls:index/privateKey:PrivateKey", { algorithm: "ED25519" });
    expect(isSecret(key.privateKeyPem)).toBe(true);
    expect(plain<Record<string, string>>(key).privateKeyPem).toContain("BEGIN PRIVATE KEY");
  });

  test("what a command prints is shown by the engine while it runs, and a cancellation ends it", async () => {
    const engine = new FakeEngine();
    const plugin = await Plugin.start("command", await engine.listen());
    const line = once(engine, "line");
    const failed = expect(
      plugin.create("command:local:Command", { create: "echo running; exec sleep 1000" }),
    ).rejects.toThrow("abort");
    expect(await line).toEqual(["running", true]);
    await plugin.call("cancel", new Empty());
    await failed;
  });

  test("an error reaches the engine with its text", async () => {
    const plugin = await Plugin.start("command");
    await expect(plugin.create("command:local:Command", { create: "exit 9" })).rejects.toThrow(
      "exit status 9",
    );
    await expect(plugin.create("command:remote:CopyFile", {})).rejects.toThrow(
      "command:remote:CopyFile is not among the resource types",
    );
  });

  test("settings and customTimeouts reach the kubernetes plugin", async () => {
    const server = new FakeApiServer(await newCertificates());
    await server.listen();
    closers.push(() => server.close());
    const plugin = await Plugin.start("kubernetes");
    await plugin.configure({
      kubeconfig: secret(server.kubeconfig({ namespace: "default" })),
      enablePatchForce: "true",
    });
    const inputs = { apiVersion: "v1", kind: "Pod", metadata: { name: "p", namespace: "default" }, spec: {} };
    const error = await plugin.create("kubernetes:core/v1:Pod", inputs, 1).catch((caught) => caught);
    expect(error.message).toContain("gave up after 1 s");
    expect(error.metadata.get("grpc-status-details-bin")).toHaveLength(1);
    expect(server.writes[0]!.query.force).toBe("true");
  });

  test("the kubernetes plugin judges changes of its settings", async () => {
    const plugin = await Plugin.start("kubernetes");
    const request = new messages.DiffRequest();
    request.setUrn("urn:pulumi:test::project::pulumi:providers:kubernetes::k");
    request.setOlds(structs.Struct.fromJavaScript({ clusterIdentifier: "a", kubeconfig: "x" }));
    request.setNews(structs.Struct.fromJavaScript({ clusterIdentifier: "b", kubeconfig: unknown }));
    const answer = await plugin.call<Messages.DiffResponse>("diffConfig", request);
    expect(answer.getReplacesList()).toEqual(["clusterIdentifier"]);
    expect(answer.getDiffsList().sort()).toEqual(["clusterIdentifier", "kubeconfig"]);
  });
});
