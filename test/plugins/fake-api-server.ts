import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:https";
import type { Server } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { lookup } from "../../lab/plugins/tls/main.ts";
import type { KubeObject } from "../../lab/plugins/kubernetes/kinds.ts";
import { isObject } from "../../lab/plugins/shared/values.ts";
import type { Props } from "../../lab/plugins/shared/values.ts";
import { Driven, open } from "./support.ts";

export interface Seen {
  method: string;
  path: string;
  query: Record<string, string>;
  contentType: string | undefined;
  body: Props;
  authorization: string | undefined;
  clientName: string | undefined;
}

/** What one request is answered with instead: a status, or a broken connection. */
type Disturbance = (request: Seen) => { code: number; body: unknown } | "break" | undefined;

const kinds: Record<string, [string, string, boolean][]> = {
  v1: [
    ["configmaps", "ConfigMap", true],
    ["namespaces", "Namespace", false],
    ["pods", "Pod", true],
    ["pods/status", "Pod", true],
    ["secrets", "Secret", true],
    ["services", "Service", true],
  ],
  "apps/v1": [
    ["deployments", "Deployment", true],
    ["daemonsets", "DaemonSet", true],
  ],
  "batch/v1": [["jobs", "Job", true]],
  "discovery.k8s.io/v1": [["endpointslices", "EndpointSlice", true]],
  "networking.k8s.io/v1": [["networkpolicies", "NetworkPolicy", true]],
};

/**
 * A small fake of the Kubernetes API over TLS: discovery, get, list by label, server-side apply that knows the
 * owners of top-level fields of `data` and `spec`, and delete with finalizers. It is no Kubernetes: nothing is
 * validated, nothing gets defaults but what a test has it add.
 */
export class FakeApiServer {
  readonly objects = new Map<string, KubeObject>();
  readonly requests: Seen[] = [];
  readonly kinds = structuredClone(kinds);
  /** Called before every answer. */
  disturb: Disturbance = () => undefined;
  /** Fills in what controllers would, each time an object is read. */
  control: (object: KubeObject) => void = () => {};
  readonly #owners = new Map<string, Map<string, string>>();
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  readonly certificates: Certificates;
  port = 0;

  constructor(certificates: Certificates) {
    this.certificates = certificates;
    const { ca, cert, key } = certificates.server;
    this.#server = createServer(
      { ca, cert, key, requestCert: true, rejectUnauthorized: false },
      (request, response) => {
        const chunks: Buffer[] = [];
        request.on("data", (chunk: Buffer) => chunks.push(chunk));
        request.on("end", () => {
          const url = new URL(request.url!, "https://fake");
          const peer = (request.socket as import("node:tls").TLSSocket).getPeerCertificate();
          const text = Buffer.concat(chunks).toString();
          const seen: Seen = {
            method: request.method!,
            path: url.pathname,
            query: Object.fromEntries(url.searchParams),
            contentType: request.headers["content-type"],
            body: text ? JSON.parse(text) : {},
            authorization: request.headers.authorization,
            clientName: peer?.subject?.CN as string | undefined,
          };
          this.requests.push(seen);
          const disturbance = this.disturb(seen);
          if (disturbance === "break") return void request.socket.destroy();
          const { code, body } = disturbance ?? this.#answer(seen);
          response
            .writeHead(code, { "content-type": "application/json" })
            .end(typeof body === "string" ? body : JSON.stringify(body));
        });
      },
    );
    this.#server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  async listen(port = 0): Promise<void> {
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server, "listening");
    this.port = (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }

  /** A kubeconfig for this server, with a client certificate. */
  kubeconfig(context: Props = {}, cluster: Props = {}, user: Props = {}): string {
    const { ca, client } = this.certificates;
    const data = (text: string) => Buffer.from(text).toString("base64");
    return JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [
        {
          name: "c",
          cluster: {
            server: `https://127.0.0.1:${this.port}`,
            "certificate-authority-data": data(ca),
            ...cluster,
          },
        },
      ],
      users: [
        {
          name: "u",
          user: {
            "client-certificate-data": data(client.cert),
            "client-key-data": data(client.key),
            ...user,
          },
        },
      ],
      contexts: [{ name: "x", context: { cluster: "c", user: "u", ...context } }],
      "current-context": "x",
    });
  }

  /** The requests that changed something or tried to. */
  get writes(): Seen[] {
    return this.requests.filter(({ method }) => method !== "GET");
  }

  #answer({ method, path, query, body }: Seen): { code: number; body: unknown } {
    const apiVersion = /^\/(?:api|apis)\/((?:[^/]+\.)*[^/]+\/v[^/]+|v1)/.exec(path)?.[1] ?? "";
    const rest = path.split(apiVersion)[1]!;
    const served = this.kinds[apiVersion];
    if (rest === "" && served) {
      return {
        code: 200,
        body: { resources: served.map(([name, kind, namespaced]) => ({ name, kind, namespaced })) },
      };
    }
    const object = this.objects.get(path);
    const missing = failure(404, "NotFound", `${path} not found`);
    if (!served) return missing;
    switch (method) {
      case "GET":
        if (query.labelSelector !== undefined)
          return { code: 200, body: { items: this.#labelled(path, query.labelSelector) } };
        if (object) this.control(object);
        return object ? { code: 200, body: object } : missing;
      case "PATCH":
        return this.#apply(path, body as KubeObject, query.fieldManager!, query.force === "true");
      case "DELETE":
        if (!object) return missing;
        if (isObject(object.metadata) && Array.isArray(object.metadata.finalizers)) {
          object.metadata.deletionTimestamp = "2026-01-01T00:00:00Z";
        } else {
          this.objects.delete(path);
        }
        return { code: 200, body: object };
      default:
        return failure(405, "MethodNotAllowed", method);
    }
  }

  #apply(path: string, body: KubeObject, manager: string, force: boolean): { code: number; body: unknown } {
    const namespace = /\/namespaces\/([^/]+)\/[^/]+\//.exec(path)?.[1];
    if (namespace && namespace !== "default" && !this.objects.has(`/api/v1/namespaces/${namespace}`)) {
      return failure(404, "NotFound", `namespaces "${namespace}" not found`);
    }
    const live = this.objects.get(path);
    const owners = (live && this.#owners.get(path)) ?? new Map<string, string>();
    const fields = ["data", "spec"].flatMap((part) =>
      Object.keys((body[part] as object | undefined) ?? {}).map((key) => [part, key] as const),
    );
    const conflicts = fields.filter(([part, key]) => {
      const owner = owners.get(`${part}.${key}`);
      return (
        owner !== undefined &&
        owner !== manager &&
        (live?.[part] as Props)?.[key] !== (body[part] as Props)[key]
      );
    });
    if (conflicts.length > 0 && !force) {
      return failure(
        409,
        "Conflict",
        `Apply failed with conflicts: ${conflicts.map((field) => field.join(".")).join(", ")}`,
      );
    }
    for (const field of fields) owners.set(field.join("."), manager);
    this.#owners.set(path, owners);
    const metadata = { ...live?.metadata, ...body.metadata, ...(namespace ? { namespace } : {}) };
    metadata.uid ??= `uid-${this.requests.length}`;
    metadata.generation = (metadata.generation ?? 0) + 1;
    const merged = { ...live, ...body, metadata } as KubeObject;
    this.objects.set(path, merged);
    this.control(merged);
    return { code: live ? 200 : 201, body: merged };
  }

  #labelled(path: string, selector: string): KubeObject[] {
    const [key, value] = selector.split("=");
    return [...this.objects]
      .filter(([place]) => place.startsWith(`${path}/`))
      .map(([, object]) => object)
      .filter(({ metadata }) => (metadata.labels as Props | undefined)?.[key!] === value);
  }
}

export function failure(code: number, reason: string, message: string): { code: number; body: unknown } {
  return { code, body: { kind: "Status", code, reason, message } };
}

interface Pair {
  cert: string;
  key: string;
}

export interface Certificates {
  ca: string;
  server: Pair & { ca: string };
  client: Pair;
}

/** A CA with a server and a client certificate, made by the tls plugin's stand-in. */
export async function newCertificates(): Promise<Certificates> {
  const newKey = () => generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" });
  const make = async (type: string, inputs: Props) =>
    open((await new Driven(lookup, type).create(inputs)).outs);
  const caKey = newKey();
  const { certPem: ca } = await make("tls:index/selfSignedCert:SelfSignedCert", {
    privateKeyPem: caKey,
    isCaCertificate: true,
    allowedUses: ["cert_signing"],
    validityPeriodHours: 1,
    subject: { commonName: "fake" },
  });
  const pair = async (commonName: string, use: string): Promise<Pair> => {
    const key = newKey() as string;
    const request = { privateKeyPem: key, subject: { commonName }, ipAddresses: ["127.0.0.1"] };
    const { certRequestPem } = await make("tls:index/certRequest:CertRequest", request);
    const signed = {
      caCertPem: ca,
      caPrivateKeyPem: caKey,
      certRequestPem,
      allowedUses: [use],
      validityPeriodHours: 1,
    };
    const { certPem } = await make("tls:index/locallySignedCert:LocallySignedCert", signed);
    return { cert: certPem!, key };
  };
  const [server, client] = await Promise.all([pair("server", "server_auth"), pair("admin", "client_auth")]);
  return { ca: ca!, server: { ...server, ca: ca! }, client };
}
