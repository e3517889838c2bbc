import * as pulumi from "@pulumi/pulumi";

/** The stack as OpenStack's resources name it, to tell whose they are: "PROJECT/STACK". */
export const stackName = (): string => `${pulumi.getProject()}/${pulumi.getStack()}`;
