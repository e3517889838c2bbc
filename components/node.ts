import * as command from "@pulumi/command";
import * as openstack from "@pulumi/openstack";
import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import { nodeCertificate, nodeSubject } from "../model/certificates.ts";
import { bundle, digest, pack, type Files } from "../model/bundle.ts";
import { installAndConverge, removeNode, rollOut, rolloutInput, stageOrConverge } from "../model/commands.ts";
import { includes } from "../model/phases.ts";
import type { ClusterPlan, NodePlan } from "../model/plan.ts";
import { userData } from "../model/user-data.ts";
import { signed } from "./certificate.ts";
import type { Certificates } from "./certificates.ts";
import { warnOfEnds } from "./ends.ts";
import type { NodeNetwork } from "./network.ts";
import { nodeSecrets } from "./node-secrets.ts";
import { ignoredChanges, replacingChanges, serverMetadata } from "./servers.ts";

/** What all nodes of a cluster are made with. */
export interface NodeSurroundings {
  plan: ClusterPlan;
  network: NodeNetwork;
  ports: Record<string, openstack.networking.Port>;
  floatingAddresses: Record<string, openstack.networking.FloatingIp>;
  /** By pool, of those that have one. */
  serverGroups: Record<string, openstack.compute.ServerGroup>;
  /** Key that the program logs in with. */
  sshKey: tls.PrivateKey;
  certificates: Certificates;
  /** Names of the nodes whose machines are there already. */
  existingNodes: string[];
  /** Names of the nodes whose machines OpenStack could not build: they are made anew. */
  unbuiltNodes: string[];
}

export interface NodeArgs extends NodeSurroundings {
  node: NodePlan;
  /** The node that updates this one, and takes it out of the cluster when it goes; none for the control plane itself. */
  controlPlane?: Node;
  /** What has to be over before this node may change. */
  turn?: Promise<void>;
}

/** A machine and all that is on it: port and floating address come in, instance, keys and files are made here. */
export class Node extends pulumi.ComponentResource {
  readonly instance: openstack.compute.Instance;
  readonly connection: pulumi.Input<command.types.input.remote.ConnectionArgs>;
  /** Done once the node runs all that its files say or has them staged; there from phase docker on. */
  readonly converge?: command.remote.Command;
  /** Done once what was staged is put to use; there in phase kubernetes. */
  readonly membership?: command.remote.Command;

  constructor(name: string, args: NodeArgs, opts?: pulumi.ComponentResourceOptions) {
    const { plan, node } = args;
    const { cluster, ssh } = plan.settings;
    // As inputs of the component the files show up in a preview by path; scripts, which are all the program's, by digest.
    const files = Object.fromEntries(
      Object.entries(node.files).map(([path, { content, mode }]) => [
        path,
        mode === "0755" ? `SHA-256 ${digest(content)}` : content,
      ]),
    );
    super("openstack-kubernetes:nodes:Node", name, { files }, opts);
    const parent = { parent: this };

    const hostKey = new tls.PrivateKey(`${name}-host-key`, { algorithm: "ED25519" }, parent);
    const floatingAddress = args.floatingAddresses[node.name]!.address;
    const serverGroup = node.pool === undefined ? undefined : args.serverGroups[node.pool];
    this.instance = new openstack.compute.Instance(
      `${name}-instance`,
      {
        name: pulumi.output(args.turn).apply(() => node.name),
        // By name: an image that was uploaded anew under its name is for machines to come.
        imageName: node.image,
        flavorName: node.flavor,
        availabilityZone: node.availabilityZone,
        keyPair: node.keyPair,
        networks: [{ port: args.ports[node.name]!.id }],
        schedulerHints: serverGroup && [{ group: serverGroup.id }],
        metadata: serverMetadata(cluster.name, node),
        userData: pulumi
          .all([hostKey.privateKeyOpenssh, hostKey.publicKeyOpenssh, args.sshKey.publicKeyOpenssh])
          .apply(([privateKey, publicKey, sshKey]) =>
            userData({
              hostKey: { private: privateKey, public: publicKey },
              authorizedKeys: [sshKey, ...ssh.authorizedKeys],
            }),
          ),
      },
      {
        ...parent,
        // A machine that boots without a router finds no metadata service, and with it no key that may log in.
        dependsOn: args.network.leadsOut,
        // The new machine takes the old one's port.
        deleteBeforeReplace: true,
        replaceOnChanges: replacingChanges(node, args.unbuiltNodes),
        ignoreChanges: ignoredChanges(node, plan.settings.phase, args.existingNodes),
      },
    );
    this.connection = {
      host: floatingAddress,
      user: ssh.user,
      privateKey: args.sshKey.privateKeyOpenssh,
      hostKey: hostKey.publicKeyOpenssh,
      // A machine may take minutes to boot; each dial waits a little longer than the last.
      dialErrorLimit: 60,
      perDialTimeout: 15,
    };

    if (includes(plan.settings.phase, "docker")) {
      const secretFiles = this.#secretFiles(name, args, floatingAddress);
      // Says that keys are new without saying what they are.
      const keys = pulumi.unsecret(secretFiles).apply((known) => digest(bundle(known)));
      this.converge = this.#install(name, node, secretFiles);
      if (includes(plan.settings.phase, "kubernetes"))
        this.membership = this.#join(name, args, this.converge, [hostKey.publicKeyOpenssh, keys]);
    }
    this.registerOutputs({ instanceId: this.instance.id, floatingAddress });
  }

  /** Waits until the engine is through with all of this node, also in a preview. */
  settled(): Promise<void> {
    const last = this.membership ?? this.converge ?? this.instance;
    return new Promise((resolve) => last.urn.apply(() => resolve()));
  }

  /** The node's key and its certificate, with all others that it has. */
  #secretFiles(
    name: string,
    { plan, node, certificates }: NodeArgs,
    floatingAddress: pulumi.Output<string>,
  ): pulumi.Output<Files> {
    const parent = { parent: this };
    const key = new tls.PrivateKey(`${name}-node-key`, { algorithm: "ECDSA", ecdsaCurve: "P256" }, parent);
    const { commonName, organization, dnsNames, ipAddresses } = nodeSubject(node.name, node.address);
    const request = new tls.CertRequest(
      `${name}-request`,
      {
        privateKeyPem: key.privateKeyPem,
        subject: { commonName, organization },
        dnsNames,
        ipAddresses: [...ipAddresses, floatingAddress],
      },
      parent,
    );
    const { settings } = plan;
    const { authority, usages } = nodeCertificate;
    const certificate = new tls.LocallySignedCert(
      `${name}-certificate`,
      signed(request, certificates.authorities[authority].signing, usages, settings.certificates),
      // Its name when Docker's server had another.
      { ...parent, aliases: [{ name: `${name}-kubelet-certificate` }] },
    );
    warnOfEnds(this, settings.certificates, { [commonName]: certificate.validityEndTime });
    return nodeSecrets({ settings, node, key, certificate, certificates });
  }

  /** The command that sends keys, certificates and the files of the plan to the machine. */
  #install(name: string, node: NodePlan, secretFiles: pulumi.Output<Files>): command.remote.Command {
    return new command.remote.Command(
      `${name}-converge`,
      {
        connection: this.connection,
        create: installAndConverge,
        update: stageOrConverge,
        stdin: secretFiles.apply((known) => pack({ ...node.files, ...known })),
        // A machine made anew at the same address changes no other input.
        triggers: [this.instance.id],
        addPreviousOutputInEnv: false,
      },
      { parent: this, deletedWith: this.instance },
    );
  }

  /** The node's place in the cluster: changes reach it, and it goes, by way of the control plane. */
  #join(
    name: string,
    { plan, node, controlPlane }: NodeArgs,
    converge: command.remote.Command,
    [hostKey, keys]: [pulumi.Output<string>, pulumi.Output<string>],
  ): command.remote.Command {
    const { instance, connection } = controlPlane ?? this;
    return new command.remote.Command(
      `${name}-membership`,
      {
        connection,
        update: rollOut(node.name),
        delete: controlPlane && removeNode(node.name),
        stdin: pulumi
          // Secret only because what was sent is.
          .all([hostKey, keys, pulumi.unsecret(converge.stdout)])
          .apply((known) => rolloutInput(node, plan.settings.ssh.user, ...known)),
        triggers: [this.instance.id],
        addPreviousOutputInEnv: false,
      },
      {
        parent: this,
        // Before its machine is made anew, a node leaves the cluster.
        deleteBeforeReplace: true,
        dependsOn: controlPlane?.converge ? [converge, controlPlane.converge] : [converge],
        // Destroying the whole cluster drains nothing.
        deletedWith: instance,
      },
    );
  }
}
