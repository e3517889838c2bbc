import { toYaml } from "./yaml.ts";

/** The machine's own SSH key pair and who may log in; nothing else, so that it never changes. */
export interface UserDataArgs {
  /** ED25519 key pair in OpenSSH's format. */
  hostKey: { private: string; public: string };
  authorizedKeys: string[];
}

/** cloud-init's user data (https://docs.cloud-init.io/en/latest/reference/modules.html#ssh). */
export function userData({ hostKey, authorizedKeys }: UserDataArgs): string {
  const config = {
    ssh_deletekeys: true,
    ssh_genkeytypes: [],
    ssh_keys: { ed25519_private: hostKey.private, ed25519_public: hostKey.public.trim() },
    ssh_authorized_keys: authorizedKeys.map((key) => key.trim()),
  };
  return `#cloud-config\n${toYaml(config)}`;
}
