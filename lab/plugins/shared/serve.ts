import { AsyncLocalStorage } from "node:async_hooks";
import { createRequire } from "node:module";
import type { Provider } from "@pulumi/pulumi/provider/provider.js";
import { main } from "@pulumi/pulumi/provider/server.js";
import type * as Grpc from "@grpc/grpc-js";
import { providerOf } from "./resource.ts";
import type { Context, Lookup } from "./resource.ts";
import { plain } from "./values.ts";
import type { Props } from "./values.ts";

// The SDK's own copies: a service can only be changed in the library that the SDK registers it with.
const sdk = createRequire(import.meta.resolve("@pulumi/pulumi/provider/server.js"));
const grpc = sdk("@grpc/grpc-js") as typeof Grpc;

/** What the engine sends with an operation and `provider.main` does not hand on. */
interface Request {
  getTimeout?(): number;
  getArgs?(): Struct | undefined;
  getOlds?(): Struct | undefined;
  getNews?(): Struct | undefined;
}

interface Struct {
  toJavaScript(): Props;
}

type Callback = (error: unknown, response?: unknown) => void;
type Method = (call: { request: Request }, callback: Callback) => unknown;

const requests = new AsyncLocalStorage<Request>();
const cancelled = new AbortController();

/** What a plugin does with the settings of its provider. */
export interface ProviderSettings {
  configure(settings: Props): void;
  diff(olds: Props, news: Props): Promise<{ changes: string[]; replaces: string[] }>;
}

/** Answers a function of a plugin by its token. */
export type Invoke = (token: string) => Props | Promise<Props>;

/** Starts the plugin: prints its port and serves the engine until that ends the process, or is no more itself. */
export async function serve(
  version: string,
  lookup: Lookup,
  settings?: ProviderSettings,
  answer?: Invoke,
): Promise<void> {
  extendService(settings);
  // An engine that was killed ends nothing.
  const engine = process.ppid;
  setInterval(() => process.ppid === engine || process.exit(1), 2000).unref();
  const provider: Provider = {
    ...providerOf(version, lookup, environment),
    ...(answer && { invoke: async (token) => ({ outputs: await answer(token) }) }),
    cancel: async () => cancelled.abort(),
  };
  await main(provider, process.argv.slice(2));
}

/** `provider.main` has no way to learn settings and time limits, so its service is wrapped on registration. */
function extendService(settings?: ProviderSettings) {
  const addService = grpc.Server.prototype.addService;
  grpc.Server.prototype.addService = function (service, implementation) {
    const methods = implementation as unknown as Record<string, Method>;
    for (const name of ["create", "update", "delete"]) {
      const method = methods[name]!.bind(implementation);
      methods[name] = (call, callback) => requests.run(call.request, method, call, callback);
    }
    if (settings) {
      const configure = methods.configure!.bind(implementation);
      methods.configure = (call, callback) => {
        settings.configure(propsOf(call.request.getArgs?.()));
        return configure(call, callback);
      };
      methods.diffConfig = ({ request }, callback) => answerDiff(settings, request, callback);
    }
    return addService.call(this, service, implementation);
  };
}

async function answerDiff(settings: ProviderSettings, request: Request, callback: Callback) {
  const { DiffResponse } = sdk(
    "../proto/provider_pb",
  ) as typeof import("@pulumi/pulumi/proto/provider_pb.js");
  try {
    const { changes, replaces } = await settings.diff(
      propsOf(request.getOlds?.()),
      propsOf(request.getNews?.()),
    );
    const response = new DiffResponse();
    const { DIFF_NONE, DIFF_SOME } = DiffResponse.DiffChanges;
    response.setChanges(changes.length > 0 ? DIFF_SOME : DIFF_NONE);
    response.setDiffsList(changes);
    response.setReplacesList(replaces);
    callback(null, response);
  } catch (error) {
    callback(error);
  }
}

function propsOf(struct: Struct | undefined): Props {
  return plain<Props>(struct?.toJavaScript() ?? {});
}

function environment(urn: string): Context {
  const timeoutSeconds = requests.getStore()?.getTimeout?.();
  return {
    urn,
    ...(timeoutSeconds ? { timeoutSeconds } : {}),
    signal: cancelled.signal,
    status: (message) => log(urn, message, true),
    warn: (message) => log(urn, message, false),
  };
}

type Log = (urn: string, message: string, ephemeral: boolean) => void;
let logger: Log | undefined;

function log(urn: string, message: string, ephemeral: boolean) {
  logger ??= engineLog();
  logger(urn, message, ephemeral);
}

function engineLog(): Log {
  const address = process.argv.slice(2).findLast((argument) => /^[^-].*:\d+$/.test(argument));
  if (!address) return () => {};
  const { EngineClient } = sdk(
    "../proto/engine_grpc_pb",
  ) as typeof import("@pulumi/pulumi/proto/engine_grpc_pb.js");
  const { LogRequest, LogSeverity } = sdk(
    "../proto/engine_pb",
  ) as typeof import("@pulumi/pulumi/proto/engine_pb.js");
  const client = new EngineClient(address, grpc.credentials.createInsecure());
  return (urn, message, ephemeral) => {
    const request = new LogRequest();
    request.setSeverity(ephemeral ? LogSeverity.INFO : LogSeverity.WARNING);
    request.setMessage(message);
    request.setUrn(urn);
    request.setEphemeral(ephemeral);
    // A line that cannot be shown must not fail the operation it speaks of.
    client.log(request, () => {});
  };
}
