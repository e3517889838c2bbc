import { beforeAll, describe, expect, it } from "vitest";
import type { CertificateOverview } from "../../cli/plan/certificates.ts";
import { overview, type Overview } from "../../cli/plan/overview.ts";
import { planOf } from "../helpers/cluster.ts";
import { registerCluster, cloud, secretsSent } from "../helpers/graph.ts";
import type { Registered } from "../helpers/monitor.ts";

// What the offline plan says of resources is what the program asks for, in every phase and with every routing.

const access = { ssh: ["10.1.0.0/16", "10.2.0.0/16"], api: ["10.1.0.0/16"], docker: ["10.3.0.0/16"] };
const network = { externalNetwork: "public", access };

let shown: Overview;
let resources: Registered[];

/** Inputs of all resources of a type. */
const inputsOf = (type: string, registered = resources) =>
  registered
    .filter((resource) => resource.custom && resource.type.endsWith(`:${type}`))
    .map(({ inputs }) => inputs);
/** The same fields in the same order, without those that are undefined. */
const sorted = (object: object) =>
  Object.fromEntries(
    Object.entries(object)
      .filter(([, value]) => value !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
const byText = (a: unknown, b: unknown) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

const overviewOf = (changes: Record<string, unknown>) => overview("demo", planOf(changes), []);

describe.each<[string, Record<string, unknown>]>([
  ["with Kubernetes", { network }],
  ["with Docker alone", { network, phase: "docker" }],
  ["of machines alone", { network, phase: "machines" }],
  ["with flannel by VXLAN", { network: { ...network, routing: "flannel" } }],
  [
    "with flannel by host-gw",
    { network: { ...network, routing: "flannel", flannel: { backend: "host-gw" } } },
  ],
  ["with a DNS cache on each node", { network, dns: { nodeLocalCache: true } }],
  [
    "with a pool",
    {
      network,
      nodes: { "cp-1": { role: "control-plane", slot: 10 } },
      pools: { batch: { count: 2, slots: "100-109", serverGroup: "anti-affinity" } },
    },
  ],
])("a stack %s", (_what, changes) => {
  beforeAll(async () => {
    shown = overviewOf(changes);
    ({ resources } = await registerCluster(changes));
  });

  describe("quotas count the resources", () => {
    const needed = ({ quotas }: Overview) =>
      Object.fromEntries(Object.entries(quotas).map(([name, { needed }]) => [name, needed]));
    const counted = (registered: Registered[], otherPorts: number) => {
      const number = (type: string) => inputsOf(type, registered).length;
      return {
        servers: number("Instance"),
        serverGroups: number("ServerGroup"),
        serverGroupMembers: inputsOf("Instance", registered).filter((inputs) => "schedulerHints" in inputs)
          .length,
        ports: number("Port") + otherPorts,
        floatingAddresses: number("FloatingIp"),
        routes: number("RouterRoute"),
        securityGroups: number("SecGroup"),
        // Neutron gives each group two rules for what leaves.
        securityGroupRules: number("SecGroupRule") + 2 * number("SecGroup"),
        networks: number("Network"),
        subnets: number("Subnet"),
        routers: number("Router"),
      };
    };

    it("of a network of its own, whose router and DHCP have ports too", () => {
      expect(needed(shown)).toEqual(counted(resources, 2));
      expect(shown.quotas).toMatchObject({ servers: { needed: 3 }, networks: { needed: 1 } });
    });

    it("on a network that is there already", async () => {
      const existing = { network: "office", subnet: "office-a", router: "office" };
      const onExisting = { ...changes, network: { ...(changes.network as object), existing } };
      const ids = { networkId: "network-id", subnetId: "subnet-id", routerId: "router-id" };
      const there = await registerCluster(onExisting, false, { ...cloud, existingNetwork: ids });
      expect(needed(overviewOf(onExisting))).toEqual(counted(there.resources, 0));
    });
  });

  it("routes are the router's", () => {
    const made = inputsOf("RouterRoute").map(({ destinationCidr, nextHop }) => ({
      destination: destinationCidr,
      nextHop,
    }));
    const planned = Object.values(shown.nodes).flatMap(({ route }) => route ?? []);
    expect(made.sort(byText)).toEqual(planned.sort(byText));
  });

  it("nodes have their ports' addresses and their instances' flavors", () => {
    const made = inputsOf("Instance").map(({ name, flavorName, networks }) => {
      const [{ port }] = networks as [{ port: string }];
      const { inputs } = resources.find((resource) => `${resource.name}-id` === port)!;
      const { fixedIps, allowedAddressPairs } = inputs as Record<string, { ipAddress: string }[]>;
      const [address, podNetwork] = [fixedIps![0]!.ipAddress, allowedAddressPairs![0]?.ipAddress];
      return { name, address, podNetwork, flavor: flavorName };
    });
    const planned = Object.entries(shown.nodes).map(([name, { address, podNetwork, flavor }]) => ({
      name,
      address,
      // Packets inside of the nodes' own need no pair.
      podNetwork: shown.networks.pods.routing === "vxlan" ? undefined : podNetwork,
      flavor,
    }));
    expect(made.sort(byText)).toEqual(planned.sort(byText));
  });

  it("port rules are those of the groups", () => {
    const planned = Object.entries(shown.securityGroups).flatMap(([group, rules]) =>
      Object.values(rules).map(({ protocol, ports, remoteIpPrefix }) => ({
        securityGroupId: `demo-security-groups-${group}-id`,
        direction: "ingress",
        ethertype: "IPv4",
        ...(protocol && { protocol }),
        ...(ports && { portRangeMin: ports.min, portRangeMax: ports.max }),
        remoteIpPrefix,
      })),
    );
    expect(inputsOf("SecGroupRule").map(sorted).sort(byText)).toEqual(planned.map(sorted).sort(byText));
  });

  describe("certificates", () => {
    interface Request {
      subject: { commonName: string; organization?: string };
      dnsNames?: string[];
      ipAddresses?: string[];
    }
    const kinds: Record<string, string> = {
      "server_auth client_auth": "server and client",
      server_auth: "server",
      client_auth: "client",
    };

    it("are those that are signed, with their names and how long they last", () => {
      const request = (name: string) =>
        resources.find((resource) => `request of ${resource.name}\n` === name)!.inputs as unknown as Request;
      const signed = inputsOf("LocallySignedCert").map((inputs) => {
        const { subject, dnsNames = [], ipAddresses = [] } = request(inputs.certRequestPem as string);
        return {
          kind: kinds[(inputs.allowedUses as string[]).filter((use) => use.endsWith("_auth")).join(" ")],
          ...subject,
          dnsNames,
          ipAddresses,
          signedBy: authorityOf(inputs.caCertPem as string),
          hours: inputs.validityPeriodHours,
          renewHours: inputs.earlyRenewalHours,
        };
      });
      const ofNodes = Object.values(shown.nodes).flatMap(({ certificates }) => Object.values(certificates));
      const planned = [...Object.values(shown.certificates), ...ofNodes].filter(
        ({ kind }) => kind !== "authority",
      );
      expect(planned.map(asSigned).sort(byText)).toEqual(signed.map(sorted).sort(byText));
    });

    it("of authorities are signed by themselves", () => {
      const own = inputsOf("SelfSignedCert").map(({ subject, validityPeriodHours }) => [
        (subject as { commonName: string }).commonName,
        validityPeriodHours,
      ]);
      const planned = Object.values(shown.certificates).filter(({ kind }) => kind === "authority");
      expect(planned.map(({ commonName, hours }) => [commonName, hours]).sort()).toEqual(own.sort());
    });

    const authorityOf = (pem: string) =>
      (
        resources.find(({ name }) => `certificate ${name}\n` === pem)!.inputs as {
          subject: { commonName: string };
        }
      ).subject.commonName;

    /** A planned certificate in the form of a signed one. */
    function asSigned({ floatingAddressOf, ...certificate }: CertificateOverview) {
      const more =
        floatingAddressOf === undefined ? [] : [`address of demo-floating-addresses-${floatingAddressOf}`];
      return sorted({ ...certificate, ipAddresses: [...certificate.ipAddresses, ...more] });
    }
  });

  it("keys and certificates are on the nodes that are said to have them", () => {
    for (const [name, { keys }] of Object.entries(shown.nodes)) {
      const converge = resources.find((resource) => resource.name.endsWith(`-${name}-converge`));
      const sent = converge === undefined ? {} : secretsSent(converge);
      expect(Object.keys(sent), name).toEqual(keys);
    }
  });

  it("add-ons' objects are those that are made", () => {
    const made = resources.filter(({ custom, type }) => custom && type.startsWith("kubernetes:"));
    const planned = Object.values(shown.addons).flatMap((objects) => Object.values(objects));
    expect(made).toHaveLength(planned.length);
    expect(made.map(({ inputs }) => inputs)).toEqual(
      expect.arrayContaining(planned.map((object) => expect.objectContaining(object) as object)),
    );
  });
});
