import * as z from "zod";
import { distinct } from "./setting-types.ts";

// Settings of certificates: how long they last, and which keys sign them.

/** Hours that anything lasts at most: a hundred years. */
const longest = 876_000;

/** Keys of one that signs, by number: a rotation makes the next, trusts it, signs with it, and drops the last. */
const epochs = (of: string) =>
  z
    .strictObject({
      trusted: distinct(z.int().min(1))
        .min(1)
        // Two are all that a rotation needs.
        .max(2)
        .default([1])
        .describe(
          `numbers of the keys of ${of} that count everywhere; docs/operations.md has the three steps`,
        ),
      signing: z
        .int()
        .min(1)
        .default(1)
        .describe(`number of the key that signs for ${of}, one of \`trusted\``),
    })
    .superRefine(({ trusted, signing }, context) => {
      if (trusted.includes(signing)) return;
      const message = `must be one of trusted, ${trusted.join(" or ")}, not ${signing}`;
      context.addIssue({ code: "custom", path: ["signing"], message });
    })
    .prefault({});

/** The life of certificates. */
export const certificateSettings = z
  .strictObject({
    leafHours: z
      .int()
      .min(2)
      .max(longest)
      .default(8760)
      .describe("hours that a certificate lasts: a year, as kubeadm's"),
    authorityHours: z
      .int()
      .min(2)
      .max(longest)
      .default(87_600)
      .describe("hours that an authority's certificate lasts: ten years, as kubeadm's"),
    renewHours: z
      .int()
      .min(1)
      .max(longest)
      .default(360)
      .describe(
        "hours before its end from which on `pulumi up` renews a certificate, authorities' with the same key: 15 days; " +
          "previews warn of what ends within 30 days",
      ),
    epochs: z
      .strictObject({
        kubernetes: epochs("Kubernetes' authority"),
        etcd: epochs("etcd's authority"),
        "front-proxy": epochs("the front proxy's authority"),
        docker: epochs("Docker's authority"),
        "service-account": epochs("service-account tokens"),
      })
      .prefault({}),
  })
  .superRefine(({ leafHours, authorityHours, renewHours }, context) => {
    const shortest = Math.min(leafHours, authorityHours);
    if (renewHours < shortest) return;
    const message = `must be less than a certificate lasts, ${shortest}, not ${renewHours}: every run would renew all`;
    context.addIssue({ code: "custom", path: ["renewHours"], message });
  })
  .prefault({});
