import { describe, expect, it } from "vitest";
import { differencesOf, type Difference } from "../../cli/plan/differences.ts";
import { overview } from "../../cli/plan/overview.ts";
import { planOf, stackSettings } from "../helpers/cluster.ts";

/** What the offline plan shows of a change of settings. */
function shown(changes: Record<string, unknown>): Difference[] {
  return differencesOf(overview("demo", planOf(), []), overview("demo", planOf(changes), [])).differences;
}

const changedLines = ({ lines }: Difference) => lines.filter((line) => /^[-+]/.test(line));

describe("a difference is readable", () => {
  it("a flag of the kubelet is that one line, on the nodes that have it, and nothing else", () => {
    const [difference, ...others] = shown({ kubelet: { maxPods: 50 } });
    expect(others).toEqual([]);
    expect(difference).toMatchObject({
      nodes: ["cp-1", "worker-1", "worker-2"],
      subject: "/etc/kubernetes/kubelet.yaml",
    });
    expect(changedLines(difference!)).toEqual(["+maxPods: 50"]);
  });

  it("what is of one node is shown on that node alone", () => {
    const labels = { disk: "fast" };
    const found = shown({
      nodes: { ...stackSettings.nodes, "worker-1": { role: "worker", slot: 11, labels } },
    });
    expect(found.map(({ nodes, subject }) => [nodes, subject])).toEqual([
      [["worker-1"], "/etc/openstack-kubernetes/registration.env"],
    ]);
  });

  it("a certificate shows the names that changed, never its text or a key", () => {
    const found = shown({ cluster: { ...stackSettings.cluster, domain: "example.org" } });
    const ofCluster = found.find(({ subject }) => subject === "the cluster")!;
    expect(changedLines(ofCluster).filter((line) => line.includes("certificates"))).toEqual([
      expect.stringMatching(
        /^-certificates\.apiserver\.dnsNames: .*kubernetes\.default\.svc\.cluster\.local/,
      ),
      expect.stringMatching(/^\+certificates\.apiserver\.dnsNames: .*kubernetes\.default\.svc\.example\.org/),
    ]);
    expect(JSON.stringify(found)).not.toMatch(/-----BEGIN|[A-Za-z0-9+/]{64}/);
  });
});
