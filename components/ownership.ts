import * as pulumi from "@pulumi/pulumi";

/** The stack as OpenStack's resources name it, to tell whose they are: "PROJECT/STACK". */
export const stackName = (): string => `${pulumi.getProject()}/${pulumi.getStack()}`;

/**
 * Description of the resources that are found by name: says whose they are, so that another stack's of the same name
 * are never taken for a leftover.
 */
export function clusterDescription(cluster: string): string {
  return `Kubernetes cluster ${cluster} of ${stackName()}`;
}

/** Name of a pool's server group. Nova keeps no description of one, so the name says whose it is. */
export function serverGroupName(cluster: string, pool: string): string {
  return `${cluster}-${pool} of ${stackName()}`;
}
