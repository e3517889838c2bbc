import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { rollOut, rolloutInput } from "../../model/commands.ts";
import { done, NodeMachine } from "../helpers/node-machine.ts";

let machine: NodeMachine;
beforeEach(() => {
  machine = new NodeMachine();
});
afterEach(() => {
  machine.remove();
});

/** A cluster of two nodes, of which worker-1 renews its lease each time that it is asked for. */
const answers = `case "$*" in
    *" get nodes "*) printf 'node/cp-1\\nnode/worker-1\\n' ;;
    *" get lease "*) date +%N ;;
    *conditions*) echo True ;;
    *annotations*) cat /mark 2>/dev/null || true ;;
    *unschedulable*) [ ! -e /cordoned ] || echo true ;;
    *" annotate "*-) rm /mark ;;
    *" annotate "*) echo true >/mark ;;
    *" cordon "*) touch /cordoned ;;
    *" uncordon "*) rm /cordoned ;;
  esac`;

/** Updates worker-1, where this waits, from the control plane. */
async function roll(waits: string, answer = "true", registration = "") {
  const { controlPlane, workers } = machine.planned();
  machine.place(controlPlane.files);
  machine.placeKubectl(`${answer}\n${answers}`);
  machine.placeSsh(`case "\${!#}" in
      pending) echo "${waits}" ;; registration) echo "${registration}" ;; apply) echo applied >>/calls ;; esac`);
  machine.forget();
  return await machine.run(
    rollOut("worker-1"),
    rolloutInput(workers[0]!, "debian", "ssh-ed25519 AAAA", "digest", ""),
  );
}

/** What was done to the node, in order. */
const steps = () =>
  readFileSync(machine.path("/calls"), "utf8").match(/\b(cordon|uncordon|drain|applied)\b(?! in)/g) ?? [];

describe("rollout.sh", () => {
  it("cordons and drains a node, has it apply what waits, and uncordons it", async () => {
    const { exitCode, stdout, stderr } = await roll("drain");
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toMatch(/^worker-1: drained in \d+ s, away for \d+ s more$/);
    expect(steps()).toEqual(["cordon", "drain", "applied", "uncordon"]);
  });

  it("logs in to the node's own address with the one key for it, and trusts its host key alone", async () => {
    machine.placeSsh("");
    await roll("drain");
    const [call] = machine.calls("ssh");
    expect(call).toContain(" -i /etc/openstack-kubernetes/update.key ");
    expect(call).toContain(" -o StrictHostKeyChecking=yes ");
    expect(call).toMatch(/ debian@10\.0\.0\.11 pending$/);
  });

  it("does nothing where nothing waits", async () => {
    expect(await roll("")).toEqual(done);
    expect(steps()).toEqual([]);
  });

  it("lets the API's clients come back where the API server was started anew, before another node is drained", async () => {
    for (const program of ["pgrep", "sleep"])
      machine.program(program, `echo "${program} $*" >>/calls; cat /${program} 2>/dev/null`);
    machine.write("/pgrep", "1\n");
    await roll("drain");
    expect(machine.calls("sleep")).toEqual([]);
    const seconds = () => Math.floor(Date.now() / 1000);
    const known = "/run/openstack-kubernetes.api-known";
    const began = seconds();
    await roll("drain", '[[ "$*" != *" drain "* ]] || echo 2 >/pgrep');
    const until = Number(readFileSync(machine.path(known), "utf8"));
    expect(until).toBeGreaterThanOrEqual(began + 2);
    expect(until).toBeLessThanOrEqual(seconds() + 60);

    machine.write(known, `${seconds() + 1000}\n`);
    await roll("settings");
    expect(machine.calls("sleep")).toEqual([]);
    await roll("drain");
    expect(machine.calls("sleep")).toEqual([expect.stringMatching(/^sleep (9\d\d|1000)$/)]);
  });

  it("moves no pod for settings that pods do not notice", async () => {
    expect((await roll("settings")).exitCode).toBe(0);
    expect(steps()).toEqual(["applied"]);
  });

  it("gives the Node its labels and taints, and takes away those that it has no more", async () => {
    const registration = [
      "no-label b",
      "label a=1",
      "no-taint u:NoSchedule",
      "no-taint gone:NoExecute",
      "taint t=:NoExecute",
    ];
    await roll("settings", '[[ "$*" != *taints* ]] || echo u:NoSchedule', registration.join("\n"));
    expect(
      machine.calls("kubectl", / (label|taint) /).map((call) => call.replace(/.* (?=label|taint)/, "")),
    ).toEqual([
      "label node worker-1 --overwrite b- a=1",
      "taint node worker-1 --overwrite u:NoSchedule- t=:NoExecute",
    ]);
    const asked = machine.calls("ssh").map((call) => call.split(" ").at(-1));
    expect(asked).toEqual(["pending", "registration", "registered", "apply"]);
  });

  it("uncordons a node that an update before it cordoned and did not come back to", async () => {
    machine.write("/mark", "true\n");
    machine.write("/cordoned", "");
    expect((await roll("")).exitCode).toBe(0);
    expect(steps()).toEqual(["uncordon"]);
  });

  it("leaves a node cordoned that somebody else cordoned", async () => {
    machine.write("/cordoned", "");
    expect((await roll("drain")).exitCode).toBe(0);
    expect(steps()).toEqual(["drain", "applied"]);
  });

  it.each([
    ["whether it was cordoned before", "drain", "unschedulable", "it could not be cordoned", []],
    ["whether an update before it cordoned it", "", "annotations", "the API does not tell whether", []],
  ])("touches nothing where the API does not tell %s", async (_what, waits, field, complaint, done) => {
    machine.write("/mark", "true\n");
    const { exitCode, stderr } = await roll(waits, `[[ "$*" != *${field}* ]] || return 1`);
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining(complaint) });
    expect(steps()).toEqual(done);
  });

  it("fails where the API does not tell in the end whether the node is to be uncordoned", async () => {
    const { exitCode, stderr } = await roll(
      "drain",
      '[[ "$*" != *annotations* ]] || ! grep -q applied /calls || return 1',
    );
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: expect.stringContaining("it could not be uncordoned"),
    });
    expect(steps()).toEqual(["cordon", "drain", "applied"]);
  });

  it("waits for a lease that was renewed, which no answer is not", async () => {
    const answersInTurn = ["fail", "old", "fail", "", "old", "new"];
    machine.write("/leases", answersInTurn.join("\n") + "\n");
    const answer = `if [[ "$*" == *" get lease "* ]]; then
        read -r lease </leases; sed -i 1d /leases; [ "$lease" != fail ] || return 1; echo "$lease"; return
      fi`;
    expect((await roll("settings", answer)).exitCode).toBe(0);
    expect(machine.calls("kubectl", / get lease /)).toHaveLength(answersInTurn.length);
  });

  it("leaves a node as it is whose pods do not leave, and says so", async () => {
    const { exitCode, stderr } = await roll(
      "drain",
      '[[ "$*" != *" drain "* ]] || { echo "error: busy" >&2; return 1; }',
    );
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /^updating node worker-1: its pods did not leave within 300 s: error: busy; .*; the nodes after it/,
    );
    expect(steps()).toEqual(["cordon", "drain", "uncordon"]);
  });

  it("leaves a node cordoned on which the update failed, so that no pod comes to it", async () => {
    machine.placeSsh("");
    const { controlPlane, workers } = machine.planned();
    machine.place(controlPlane.files);
    machine.placeKubectl(answers);
    machine.placeSsh(
      'case "${!#}" in pending) echo drain ;; apply) echo "kubelet failed" >&2; exit 1 ;; esac',
    );
    const input = rolloutInput(workers[0]!, "debian", "ssh-ed25519 AAAA", "digest", "");
    const { exitCode, stderr } = await machine.run(rollOut("worker-1"), input);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^kubelet failed\nupdating node worker-1: it failed; /);
    expect(steps()).toEqual(["cordon", "drain"]);
  });
});
