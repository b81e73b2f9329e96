import type { StripeAccount } from './account.js';
import { invoicePaymentsOf } from './invoice-progress.js';

/** `expand[]=latest_charge`, `expand[]=data.latest_charge`: ids become the objects that they name, in a copy. */
export function expand(account: StripeAccount, object: object, paths: readonly string[]): object {
  return paths.reduce<object>((expanded, path) => expandPath(account, expanded, path.split('.')), object);
}

function expandPath(account: StripeAccount, object: object, path: readonly string[]): object {
  const [name, ...rest] = path;
  if (name === undefined) return object;
  const value = (object as Record<string, unknown>)[name] ?? includable(account, object, name);
  if (value === undefined) return object;
  return { ...object, [name]: expandValue(account, value, rest) };
}

function expandValue(account: StripeAccount, value: unknown, rest: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((item) => expandValue(account, item, rest));
  const found = typeof value === 'string' ? find(account, value) : value;
  return typeof found === 'object' && found !== null ? expandPath(account, found, rest) : value;
}

/** What is only shown when it is asked for. */
function includable(account: StripeAccount, object: object, name: string): unknown {
  const invoice =
    'id' in object && typeof object.id === 'string' ? account.invoices.get(object.id) : undefined;
  if (!invoice) return undefined;
  const { id } = invoice.object;
  if (name === 'payments') {
    const url = `/v1/invoice_payments?invoice=${id}`;
    return { object: 'list', data: invoicePaymentsOf(account, id), has_more: false, url };
  }
  if (name !== 'confirmation_secret') return undefined;
  if (invoice.paymentIntentId === null) return null;
  const { client_secret } = account.payment(invoice.paymentIntentId).object;
  return { client_secret, type: 'payment_intent' };
}

function find(account: StripeAccount, id: string): object | undefined {
  return (
    account.payments.get(id)?.object ??
    account.sessions.get(id)?.object ??
    account.charges.get(id) ??
    account.refunds.get(id) ??
    account.disputes.get(id) ??
    account.customers.get(id) ??
    account.methods.get(id)?.object ??
    account.setups.get(id)?.object ??
    account.subscriptions.get(id)?.object ??
    account.invoices.get(id)?.object ??
    account.products.get(id) ??
    account.prices.get(id)
  );
}
