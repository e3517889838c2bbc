import { describe, expect, it } from "vitest";
import { endWarning } from "../../model/certificate-ends.ts";

const now = new Date("2026-11-01T12:00:00Z");
const at = (days: number) => new Date(now.getTime() + days * 86_400_000).toISOString();

describe("the warning of certificates that end", () => {
  it("names those of the next 30 days and those that have ended, the first to end first", () => {
    const ends = { apiserver: at(29), admin: at(31), etcd: at(-400), kubelet: at(30) };
    expect(endWarning(ends, 360, now)).toMatch(
      /^certificates end: etcd on 2025-09-27, apiserver on 2026-11-30; from 360 hours before on /,
    );
  });

  it("is none where nothing ends soon", () => {
    expect(endWarning({ admin: at(30), etcd: at(3650) }, 360, now)).toBeUndefined();
    expect(endWarning({}, 360, now)).toBeUndefined();
  });
});
