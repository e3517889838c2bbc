import http from "node:http";
import https from "node:https";
import { setTimeout as delay } from "node:timers/promises";
import type { KubeConfig } from "@kubernetes/client-node";
import type { KubeObject } from "./kinds.ts";
import type { Props } from "../shared/values.ts";

/** An answer of the API server that is an error. */
export class ApiError extends Error {
  readonly code: number;
  readonly reason: string;

  constructor(code: number, reason: string, message: string) {
    super(message);
    this.code = code;
    this.reason = reason;
  }
}

/** The API server could not be reached, however often it was tried. */
export class UnreachableError extends Error {}

/** The API server does not serve this apiVersion and kind. */
export class NoSuchKindError extends Error {}

interface KindInfo {
  plural: string;
  namespaced: boolean;
}

/** How long the server may be away before an operation gives up. */
const patienceMilliseconds = 60_000;
const requestMilliseconds = 30_000;
const passing = [429, 500, 502, 503, 504];

export interface RequestOptions {
  query?: Record<string, string>;
  body?: Props;
  contentType?: string;
  /** How long to try again while the server cannot be reached. */
  patience?: number;
  signal?: AbortSignal;
}

export type Pause = (milliseconds: number, signal?: AbortSignal) => Promise<void>;

const sleep: Pause = async (milliseconds, signal) => {
  await delay(milliseconds, undefined, signal ? { signal } : {});
};

/** A Kubernetes API server, spoken to in plain JSON, so that no field is lost or renamed on the way. */
export class Cluster {
  readonly #config: KubeConfig;
  readonly #kinds = new Map<string, KindInfo>();
  readonly pause: Pause;

  constructor(config: KubeConfig, pause = sleep) {
    this.#config = config;
    this.pause = pause;
  }

  /** The namespace for objects that name none. */
  get namespace(): string {
    return this.#config.getContextObject(this.#config.currentContext)?.namespace ?? "default";
  }

  /** An object, or undefined if there is none. */
  async get(object: KubeObject, options: RequestOptions = {}): Promise<KubeObject | undefined> {
    const path = await this.#path(object, options);
    return this.#request("GET", path, options).catch((error) => {
      if (error instanceof ApiError && error.code === 404) return undefined;
      throw error;
    }) as Promise<KubeObject | undefined>;
  }

  /** Creates or changes an object by server-side apply. */
  async apply(
    object: KubeObject,
    manager: string,
    force: boolean,
    options: RequestOptions = {},
  ): Promise<KubeObject> {
    const path = await this.#path(object, options);
    return (await this.#request("PATCH", path, {
      ...options,
      query: { fieldManager: manager, force: String(force) },
      body: object,
      contentType: "application/apply-patch+yaml",
    })) as KubeObject;
  }

  /** Asks for an object's deletion; false if there is none. */
  async delete(
    object: KubeObject,
    propagationPolicy: string,
    options: RequestOptions = {},
  ): Promise<boolean> {
    const path = await this.#path(object, options);
    try {
      await this.#request("DELETE", path, {
        ...options,
        body: { apiVersion: "v1", kind: "DeleteOptions", propagationPolicy },
      });
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.code === 404) return false;
      throw error;
    }
  }

  /** The objects of a kind in a namespace that bear a label. */
  async list(
    kind: Pick<KubeObject, "apiVersion" | "kind">,
    namespace: string,
    labelSelector: string,
    options: RequestOptions = {},
  ) {
    const path = await this.#path({ ...kind, metadata: { namespace } }, options);
    const list = (await this.#request("GET", path, { ...options, query: { labelSelector } })) as {
      items?: KubeObject[];
    };
    return list.items ?? [];
  }

  /** Whether a kind has namespaces, as the server says. */
  async isNamespaced(object: KubeObject, options: RequestOptions = {}): Promise<boolean> {
    return (await this.#kind(object, options)).namespaced;
  }

  async #path(object: KubeObject, options: RequestOptions): Promise<string> {
    const { plural, namespaced } = await this.#kind(object, options);
    const place = namespaced
      ? `/namespaces/${encodeURIComponent(object.metadata.namespace ?? this.namespace)}`
      : "";
    const name = object.metadata.name === undefined ? "" : `/${encodeURIComponent(object.metadata.name)}`;
    return `${base(object.apiVersion)}${place}/${plural}${name}`;
  }

  async #kind({ apiVersion, kind }: KubeObject, options: RequestOptions): Promise<KindInfo> {
    const key = `${apiVersion}/${kind}`;
    if (!this.#kinds.has(key)) await this.#discover(apiVersion, options);
    const info = this.#kinds.get(key);
    if (!info)
      throw new NoSuchKindError(
        `the API server does not know ${kind} of ${apiVersion}; is its definition (CRD) there?`,
      );
    return info;
  }

  async #discover(apiVersion: string, { signal, patience }: RequestOptions) {
    const found = await this.#request("GET", base(apiVersion), {
      ...(signal ? { signal } : {}),
      ...(patience === undefined ? {} : { patience }),
    }).catch((error) => {
      if (error instanceof ApiError && error.code === 404) return {};
      throw error;
    });
    const resources =
      (found as { resources?: { name: string; kind: string; namespaced: boolean }[] }).resources ?? [];
    for (const { name, kind, namespaced } of resources.filter((resource) => !resource.name.includes("/"))) {
      this.#kinds.set(`${apiVersion}/${kind}`, { plural: name, namespaced });
    }
  }

  async #request(method: string, path: string, options: RequestOptions): Promise<unknown> {
    const patience = options.patience ?? patienceMilliseconds;
    let waited = 0;
    for (let pause = 250; ; pause = Math.min(pause * 2, 5000)) {
      const began = performance.now();
      try {
        return await this.#once(method, path, options);
      } catch (error) {
        options.signal?.throwIfAborted();
        waited += performance.now() - began;
        if (!isPassing(error) || waited + pause > patience) throw this.#explained(error);
      }
      waited += pause;
      await this.pause(pause, options.signal);
    }
  }

  #explained(error: unknown): unknown {
    if (error instanceof ApiError) return error;
    const server = this.#config.getCurrentCluster()?.server;
    const { message } = error as Error;
    return new UnreachableError(`the Kubernetes API at ${server} cannot be reached: ${message}`, {
      cause: error,
    });
  }

  async #once(
    method: string,
    path: string,
    { query, body, contentType, signal }: RequestOptions,
  ): Promise<unknown> {
    const server = this.#config.getCurrentCluster()?.server;
    if (!server) throw new Error("the kubeconfig names no server for its current context");
    const url = new URL(server.replace(/\/$/, "") + path);
    url.search = new URLSearchParams(query).toString();
    const text = body && JSON.stringify(body);
    const settings: https.RequestOptions = { method, headers: {} };
    await this.#config.applyToHTTPSOptions(settings as Parameters<KubeConfig["applyToHTTPSOptions"]>[0]);
    const headers = {
      ...(settings.headers as Record<string, string>),
      Accept: "application/json",
      ...(text
        ? { "Content-Type": contentType ?? "application/json", "Content-Length": Buffer.byteLength(text) }
        : {}),
    };
    const limit = AbortSignal.timeout(requestMilliseconds);
    const { request } = url.protocol === "https:" ? https : http;
    return new Promise((resolve, reject) => {
      const sent = request(url, {
        ...settings,
        headers,
        signal: signal ? AbortSignal.any([signal, limit]) : limit,
      });
      sent.on("error", reject);
      sent.on("response", (answer) => {
        const chunks: Buffer[] = [];
        answer.on("error", reject);
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("end", () => {
          try {
            resolve(read(answer.statusCode ?? 0, Buffer.concat(chunks).toString()));
          } catch (error) {
            reject(error);
          }
        });
      });
      sent.end(text);
    });
  }
}

function base(apiVersion: string): string {
  return apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

function read(code: number, text: string): unknown {
  if (code < 300) return JSON.parse(text);
  let status: { reason?: string; message?: string } = {};
  try {
    status = JSON.parse(text);
  } catch {
    // Proxies and a starting server answer with plain text.
  }
  throw new ApiError(code, status.reason ?? "", status.message ?? (text.trim() || `HTTP status ${code}`));
}

/** Whether an error may be gone with the next try. */
function isPassing(error: unknown): boolean {
  if (error instanceof ApiError) return passing.includes(error.code);
  const { code, cause } = error as NodeJS.ErrnoException;
  return (
    (cause as Error | undefined)?.name === "TimeoutError" ||
    /^(ECONN|EPIPE|EAI_AGAIN|EHOST|ENET|ENOTFOUND|ETIMEDOUT)/.test(code ?? "")
  );
}
