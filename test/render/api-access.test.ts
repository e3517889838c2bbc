import { readFileSync } from "node:fs";
import { execa } from "execa";
import { afterEach, beforeEach, expect, it } from "vitest";
import { accessToApi } from "../../model/commands.ts";
import { done, NodeMachine } from "../helpers/node-machine.ts";

let machine: NodeMachine;
beforeEach(() => {
  machine = new NodeMachine();
  machine.program("nft", 'echo "nft $*" >>/calls; [ "$1" != -f ] || cat >/rules');
});
afterEach(() => {
  machine.remove();
});

const table = "inet openstack-kubernetes-restore";

it("a node and its pods are kept from the API alone, by rules that nft takes", async () => {
  expect(await machine.run(accessToApi("closed", "https://10.0.0.10:8443"))).toEqual(done);
  const rules = readFileSync(machine.path("/rules"), "utf8");
  expect(rules.match(/type filter hook \w+/g)).toEqual([
    "type filter hook output",
    "type filter hook forward",
  ]);
  expect(rules.match(/ip daddr .*/g)).toEqual([
    "ip daddr 10.0.0.10 tcp dport 8443 reject with tcp reset",
    "ip daddr 10.0.0.10 tcp dport 8443 reject with tcp reset",
  ]);
  const command = ["--map-root-user", "--net", "nft", "--check", "--file", "-"];
  const { exitCode, stderr } = await execa("unshare", command, { input: rules, reject: false });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
});

it("a node reaches the API again, also where it was never kept from it", async () => {
  machine.program("nft", 'echo "nft $*" >>/calls; exit 1');
  expect(await machine.run(accessToApi("open", "https://10.0.0.10:6443"))).toEqual(done);
  expect(machine.calls("nft")).toEqual([`nft delete table ${table}`]);
});
