import { expect, it } from "vitest";
import { checked, stackSettings } from "../helpers/cluster.ts";
import { problemsOf } from "../helpers/problems.ts";

const http = "http://proxy.example.org:3128";
const cluster = (settings: object) => ({ cluster: { ...stackSettings.cluster, ...settings } });

it("several wrong settings are told at once", () => {
  const changes = {
    ...cluster({ serviceNetwork: "x" }),
    phase: "pods",
    proxy: { http: "ftp://proxy", noProxy: ["a", "*"] },
    ntp: { servers: [""] },
    dns: { upstream: ["127.0.0.1"], cache: true },
  };
  expect(problemsOf({ ...stackSettings, ...changes }).map((problem) => problem.split(": ")[0])).toEqual([
    "phase",
    "cluster.serviceNetwork",
    "proxy.http",
    "proxy.noProxy.1",
    "ntp.servers.0",
    "dns",
    "dns.upstream.0",
  ]);
});

it("right settings are taken as they are, and nothing is set by default", () => {
  const { phase, proxy, ntp, dns } = checked().settings;
  expect({ phase, proxy, ntp, dns }).toEqual({
    phase: "kubernetes",
    proxy: { noProxy: [] },
    ntp: { servers: [] },
    dns: { upstream: [], nodeLocalCache: false },
  });
  const given = {
    phase: "docker",
    proxy: {
      http,
      https: "https://192.0.2.7",
      noProxy: ["registry", "registry.example.org", ".example.org", "192.0.2.9", "192.0.2.0/24"],
    },
    ntp: { servers: ["192.0.2.123", "ntp.example.org"] },
    dns: { upstream: ["192.0.2.53"] },
  };
  expect(checked(given).settings).toMatchObject(given);
});
