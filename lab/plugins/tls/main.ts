// Stands in for the plugin of @pulumi/tls 5.6.1 where that cannot be downloaded.
import type { Resource } from "../shared/resource.ts";
import { serve } from "../shared/serve.ts";

/** The resource types of this plugin, loaded when the first is seen. */
export async function lookup(type: string): Promise<Resource | undefined> {
  const types = await import("./resources.ts");
  switch (type) {
    case "tls:index/privateKey:PrivateKey":
      return types.privateKey;
    case "tls:index/certRequest:CertRequest":
      return types.certRequest;
    case "tls:index/selfSignedCert:SelfSignedCert":
      return types.selfSignedCert;
    case "tls:index/locallySignedCert:LocallySignedCert":
      return types.locallySignedCert;
    default:
      return undefined;
  }
}

if (import.meta.main) await serve("5.6.1", lookup);
