import * as openstack from "@pulumi/openstack";
import * as pulumi from "@pulumi/pulumi";

/** Ports that depend on nothing: the least that the engine does for a number of resources. */
const count = new pulumi.Config().requireNumber("count");
for (let number = 0; number < count; number++) {
  new openstack.networking.Port(`port-${number}`, { name: `port-${number}`, networkId: "network" });
}
