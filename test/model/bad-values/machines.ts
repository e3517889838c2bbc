import { machine, network, worker, type BadValues } from "../../helpers/bad-values.ts";

const existing = { network: "office", subnet: "office-a", router: "office" };

/** Wrong values of the seed's row 2. */
export const machinesValues: BadValues = {
  // machines: image, flavor, key, zone, groups, floating pool, an existing network
  2: [
    [
      "too small a node network, without a word on the slots",
      network({ nodeNetwork: "10.0.0.0/29" }),
      "network.nodeNetwork: must be a /28 or larger, not /29",
    ],
    [
      "an octal address",
      network({ nameServers: ["010.0.0.1"] }),
      "network.nameServers.0: must be an IPv4 address such as 10.0.0.10",
    ],
    [
      "a name server twice",
      network({ nameServers: ["9.9.9.9", "1.1.1.1", "9.9.9.9"] }),
      "network.nameServers: has 9.9.9.9 more than once",
    ],
    ["no external network", { network: {} }, "network.externalNetwork: is missing"],
    [
      "a name server that is none",
      network({ nameServers: ["dns"] }),
      "network.nameServers.0: must be an IPv4 address such as 10.0.0.10",
    ],
    [
      "one name server as text",
      network({ nameServers: "10.9.9.9" }),
      'network.nameServers: must be a list, not "10.9.9.9"',
    ],
    ["no image", { machine: { flavor: "m1.medium" } }, "machine.image: is missing"],
    ["an empty image", { machine: { image: "", flavor: "m1.medium" } }, "machine.image: must not be empty"],
    ["an empty key pair", machine({ keyPair: "" }), "machine.keyPair: must not be empty"],
    [
      "key pairs as a list",
      worker({ keyPair: ["mine"] }),
      'nodes.worker-1.keyPair: must be text, not ["mine"]',
    ],
    [
      "one security group as text",
      machine({ securityGroups: "office" }),
      'machine.securityGroups: must be a list, not "office"',
    ],
    [
      "a security group without a name",
      worker({ securityGroups: [""] }),
      "nodes.worker-1.securityGroups.0: must not be empty",
    ],
    [
      "a security group twice",
      worker({ securityGroups: ["office", "office"] }),
      "nodes.worker-1.securityGroups: has office more than once",
    ],
    ["an empty zone", worker({ availabilityZone: "" }), "nodes.worker-1.availabilityZone: must not be empty"],
    ["an empty flavor", worker({ flavor: "" }), "nodes.worker-1.flavor: must not be empty"],
    [
      "an image that is a number",
      worker({ image: 13 }),
      "nodes.worker-1.image: must be text, not 13; put it in quotes",
    ],
    ["an empty floating pool", network({ floatingPool: "" }), "network.floatingPool: must not be empty"],
    [
      "an existing network alone",
      network({ existing: { network: "office", router: "office" } }),
      "network.existing.subnet: is missing",
    ],
    [
      "an existing network as text",
      network({ existing: "office" }),
      'network.existing: must be a dictionary, not "office"',
    ],
    [
      "an existing router without a name",
      network({ existing: { ...existing, router: "" } }),
      "network.existing.router: must not be empty",
    ],
    [
      "an unknown part of an existing network",
      network({ existing: { ...existing, port: "x" } }),
      "network.existing: has no setting port; see docs/settings.md",
    ],
    [
      "name servers for an existing subnet",
      network({ existing, nameServers: ["9.9.9.9"] }),
      "network.nameServers: are those of the existing subnet; change them there",
    ],
    [
      "the last address of an existing subnet",
      { ...network({ existing }), ...worker({ slot: 255 }) },
      "nodes.worker-1.slot: must be from 1 to 254, not 255: 10.0.0.0/24 keeps its first and its last address, 10.100.0.0/16 has 256 networks of /24",
    ],
  ],
};
