import { check, SettingsError } from "../../model/checks.ts";

/** What is wrong with settings, without the namespace. */
export function problemsOf(input: unknown, file = ""): string[] {
  try {
    check(input, () => file);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return error.problems.map((problem) => problem.replaceAll(/openstack-kubernetes:(?! )/g, ""));
  }
  return [];
}
