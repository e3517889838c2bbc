import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { OpenStackApi, reasonOf } from "../../components/openstack-api.ts";
import { run } from "../helpers/monitor.ts";
import { FakeOpenStack } from "../helpers/openstack.ts";

const pauses: number[] = [];
vi.mock("node:timers/promises", () => ({
  setTimeout: async (milliseconds: number) => void pauses.push(milliseconds),
}));

let cloud: FakeOpenStack;
let logins: number;
beforeEach(() => {
  cloud = new FakeOpenStack();
  cloud.answers[path] = { port: {} };
  logins = 0;
  pauses.length = 0;
});
afterEach(() => vi.unstubAllGlobals());

const path = "/network/v2.0/ports/p";

/** What OpenStack answers after it has refused with these statuses. */
async function asked(...refusals: number[]) {
  cloud.refusals[path] = refusals;
  const call = () => ({ ...cloud.scope, tokenId: `token ${++logins}` });
  return (await run(async () => (await OpenStackApi.connect()).call("network", "ports/p"), { call })).result;
}

it("a service that has no time is asked again, less and less often, and not for ever", async () => {
  expect(await asked(503, 429, 504)).toEqual({ port: {} });
  expect(pauses).toEqual([1000, 2000, 4000]);
  await expect(asked(503, 503, 503, 503, 503)).rejects.toThrow("OpenStack answers 503 to GET ports/p");
});

it("what is refused for good is not asked again", async () => {
  await expect(asked(403)).rejects.toThrow("OpenStack answers 403 to GET ports/p");
  expect([logins, pauses]).toEqual([1, []]);
});

it("a token that has ended is replaced once", async () => {
  expect(await asked(401)).toEqual({ port: {} });
  expect(logins).toBe(2);
  await expect(asked(401, 401)).rejects.toThrow("OpenStack answers 401");
});

it("an authority that Node.js does not know comes with what to do", () => {
  const cause = Object.assign(new Error("self-signed certificate in certificate chain"), {
    code: "SELF_SIGNED_CERT_IN_CHAIN",
  });
  expect(reasonOf(new Error("fetch failed", { cause }))).toBe(
    "fetch failed: self-signed certificate in certificate chain; NODE_EXTRA_CA_CERTS names a file of authorities to trust",
  );
  expect(reasonOf(new Error("fetch failed", { cause: new Error("connect ECONNREFUSED") }))).toBe(
    "fetch failed: connect ECONNREFUSED",
  );
});
