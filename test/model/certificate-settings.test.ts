import { describe, expect, it } from "vitest";
import { stackSettings } from "../helpers/cluster.ts";
import { problemsOf } from "../helpers/problems.ts";

const epochs = (of: object) => ({ epochs: { kubernetes: of } });

describe("one wrong setting of certificates", () => {
  it.each<[title: string, certificates: object, problem: string]>([
    ["an end that nothing comes before", { renewHours: 0 }, "renewHours: must be at least 1, not 0"],
    [
      "certificates that every run would renew",
      { leafHours: 24, renewHours: 24 },
      "renewHours: must be less than a certificate lasts, 24, not 24: every run would renew all",
    ],
    [
      "authorities that every run would renew",
      { authorityHours: 300 },
      "renewHours: must be less than a certificate lasts, 300, not 360: every run would renew all",
    ],
    [
      "a key that signs and that nobody trusts",
      epochs({ trusted: [1, 2], signing: 3 }),
      "epochs.kubernetes.signing: must be one of trusted, 1 or 2, not 3",
    ],
    [
      "an authority without the one that signs by default",
      epochs({ trusted: [2] }),
      "epochs.kubernetes.signing: must be one of trusted, 2, not 1",
    ],
    [
      "three keys of one authority",
      epochs({ trusted: [1, 2, 3] }),
      "epochs.kubernetes.trusted: must have at most 2 entries",
    ],
    ["one key twice", epochs({ trusted: [1, 1] }), "epochs.kubernetes.trusted: has 1 more than once"],
    [
      "an authority that there is none of",
      { epochs: { kubelet: { trusted: [1] } } },
      "epochs: has no setting kubelet; see docs/settings.md",
    ],
  ])("%s", (_title, certificates, problem) => {
    expect(problemsOf({ ...stackSettings, certificates })).toEqual([
      expect.stringContaining(`certificates.${problem}`),
    ]);
  });
});
