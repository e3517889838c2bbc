import { expect, it } from "vitest";
import { reportTable } from "../../cli/report-table.ts";
import { readRecord } from "../../model/rollout-record.ts";

const text = `1795636800.250000 pod network
1795636801.450000 packages and downloads
1795636841.500000 pod network rules
1795636841.600000 + pod-network.service
1795636841.700000 containerd
1795636841.710000 kubelet
1795636841.800000 + kubelet.service
1795636843.250000 converged
`;

it("a record tells of each phase how long it took and what it restarted", () => {
  const { began, seconds, phases } = readRecord(text);
  expect(new Date(began).toISOString()).toBe("2026-11-25T20:00:00.250Z");
  expect(seconds).toBeCloseTo(43);
  expect(phases.map(({ name, restarted }) => [name, ...restarted])).toEqual([
    ["pod network"],
    ["packages and downloads"],
    ["pod network rules", "pod-network.service"],
    ["containerd"],
    ["kubelet", "kubelet.service"],
  ]);
  const told = phases.map((phase) => Number(phase.seconds.toFixed(2)));
  expect(told).toEqual([1.2, 40.05, 0.2, 0.01, 1.54]);
});

it("a record is read whatever the machine's decimal point is", () => {
  expect(readRecord(text.replaceAll(/(\d{10})\./g, "$1,"))).toEqual(readRecord(text));
});

it("the table has a row for each phase that did something, and what an update or a silent machine said", () => {
  const reports = [
    { name: "worker-10", update: "worker-10: drained in 3 s, away for 9 s more", record: readRecord(text) },
    { name: "cp-1", trouble: "connect ECONNREFUSED 192.0.2.1:22" },
  ];
  expect(reportTable(reports)).toBe(
    [
      "node       began (UTC)          phase                   seconds  restarted",
      "worker-10  2026-11-25 20:00:00  in all                     43.0",
      "                                pod network                 1.2",
      "                                packages and downloads     40.0",
      "                                pod network rules           0.2  pod-network.service",
      "                                kubelet                     1.5  kubelet.service",
      "                                last update: drained in 3 s, away for 9 s more",
      "cp-1                            connect ECONNREFUSED 192.0.2.1:22",
    ].join("\n"),
  );
});
