// Property values as the engine sends them: plain JSON with a few marked objects among it.

export type Value = unknown;
export type Props = Record<string, Value>;

const signatureKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";
const outputSignature = "d0e6a833031e9bbcd3f4e8bde6ca49a4";
export const assetSignature = "c44067f5952c0a294b673a41bacd8c17";
export const archiveSignature = "0def7320c3a5731c473e5ecbe6d01bc7";

/** Stands for a value that is not known yet; only previews have it. */
export const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Whether a value is an object that is no list. */
export function isObject(value: Value): value is Props {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The signature of a marked object (secret, output, asset, archive), if it is one. */
export function signature(value: Value): string | undefined {
  const mark = isObject(value) ? value[signatureKey] : undefined;
  return typeof mark === "string" ? mark : undefined;
}

/** Marks a value as secret. */
export function secret(value: Value): Props {
  return { [signatureKey]: secretSignature, value };
}

/** Whether this very value is marked as secret. */
export function isSecret(value: Value): boolean {
  const mark = signature(value);
  return mark === secretSignature || (mark === outputSignature && (value as Props).secret === true);
}

/** Whether anything in a value is secret. */
export function hasSecret(value: Value): boolean {
  if (isSecret(value)) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(hasSecret);
}

/** Whether anything in a value is unknown. */
export function hasUnknown(value: Value): boolean {
  if (value === unknown) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(hasUnknown);
}

/** The value without marks of secrets and outputs, and without fields that hold nothing. */
export function plain<T = Value>(value: Value): T {
  return strip(value) as T;
}

function strip(value: Value): Value {
  const mark = signature(value);
  if (mark === secretSignature) return strip((value as Props).value);
  if (mark === outputSignature) return "value" in (value as Props) ? strip((value as Props).value) : unknown;
  if (Array.isArray(value)) return value.map((item) => strip(item) ?? null);
  if (!isObject(value)) return value ?? undefined;
  return mapValues(value, strip);
}

/** Applies a function to every field, leaving out fields without a result. */
export function mapValues(object: Props, change: (value: Value, key: string) => Value): Props {
  const changed = Object.entries(object).map(([key, value]) => [key, change(value, key)] as const);
  return Object.fromEntries(changed.filter(([, value]) => value !== undefined));
}

/** Marks in `value` as secret whatever is secret at the same place of `source`. */
export function withSecretsOf(value: Value, source: Value): Value {
  if (value === undefined || value === null) return value;
  if (isSecret(source)) return isSecret(value) ? value : secret(value);
  if (isObject(value) && isObject(source)) {
    return mapValues(value, (field, key) => withSecretsOf(field, source[key]));
  }
  // Elements of a list have no identity: one secret element makes the whole list secret.
  return Array.isArray(source) && hasSecret(source) ? secret(value) : value;
}

/** Whether two plain values are the same; assets and archives are compared by their content's hash. */
export function same(a: Value, b: Value): boolean {
  if (a === b || ((a ?? undefined) === undefined && (b ?? undefined) === undefined)) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => same(item, b[index]));
  }
  if (!isObject(a) || !isObject(b)) return false;
  const mark = signature(a);
  if ((mark === assetSignature || mark === archiveSignature) && mark === signature(b) && a.hash && b.hash) {
    return a.hash === b.hash;
  }
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((key) => same(a[key], b[key]));
}

/** The top-level fields in which two property bags differ. */
export function changedKeys(olds: Props, news: Props): string[] {
  return [...new Set([...Object.keys(olds), ...Object.keys(news)])].filter(
    (key) => !same(olds[key], news[key]),
  );
}
