import type { StripeAccount } from './account.js';

/** `expand[]=latest_charge`, `expand[]=data.latest_charge`: ids become the objects that they name, in a copy. */
export function expand(account: StripeAccount, object: object, paths: readonly string[]): object {
  return paths.reduce<object>((expanded, path) => expandPath(account, expanded, path.split('.')), object);
}

function expandPath(account: StripeAccount, object: object, path: readonly string[]): object {
  const [name, ...rest] = path;
  if (name === undefined || !(name in object)) return object;
  const value = (object as Record<string, unknown>)[name];
  return { ...object, [name]: expandValue(account, value, rest) };
}

function expandValue(account: StripeAccount, value: unknown, rest: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((item) => expandValue(account, item, rest));
  const found = typeof value === 'string' ? find(account, value) : value;
  return typeof found === 'object' && found !== null ? expandPath(account, found, rest) : value;
}

function find(account: StripeAccount, id: string): object | undefined {
  return (
    account.payments.get(id)?.object ??
    account.sessions.get(id)?.object ??
    account.charges.get(id) ??
    account.refunds.get(id) ??
    account.disputes.get(id)
  );
}
