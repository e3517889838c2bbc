import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";

/**
 * A command by which a destroy takes away what a killed run had begun to make. The engine deletes what is made after
 * something before that itself: so one of these stands between what is to be made and that in which an unknown port or
 * interface would be, so that it could not be deleted.
 */
export function destroyLeftovers(name: string, opts: pulumi.CustomResourceOptions): command.local.Command {
  const STACK = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  return new command.local.Command(name, { delete: "destroy/leftovers.sh", environment: { STACK } }, opts);
}
