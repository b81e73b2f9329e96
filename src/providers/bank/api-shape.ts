import type { AmountFormat } from './bank-amount.js';
import { withoutUndefined } from './without-undefined.js';

/** What is said of a payment, in the words of the default contract: to the bank, by the bank, or both. */
export const PAYMENT_FIELDS = [
  'id',
  'reference',
  'status',
  'amount',
  'currency',
  'transfer_id',
  'payment_url',
  'refunds',
  'paid_amount',
  'refunded_amount',
  'created_at',
  'description',
  'return_url',
  'notification_url',
  'customer_email',
  'locale',
  'expires_at',
] as const;

export const REFUND_FIELDS = [
  'id',
  'payment_id',
  'reference',
  'status',
  'amount',
  'currency',
  'transfer_id',
] as const;

export const LIST_FIELDS = ['payments', 'next_cursor', 'since', 'until', 'cursor'] as const;

/** Where each field is at the bank: names joined by dots, in what we send as in what it answers. */
export type FieldPaths<Field extends string> = Readonly<Record<Field, string>>;

export type PaymentField = (typeof PAYMENT_FIELDS)[number];
export type RefundField = (typeof REFUND_FIELDS)[number];
export type ListField = (typeof LIST_FIELDS)[number];

/** Below the bank's base URL; `{id}` stands for the bank's id of the payment. */
export interface ApiAddresses {
  readonly create: string;
  readonly read: string;
  /** NONE, here and below: the bank has no such thing. */
  readonly cancel: string;
  /** Without `{id}`, the body says which payment, as `payment_id`. */
  readonly refund: string;
  readonly list: string;
}

/** How a bank's API is spoken to. */
export interface ApiShape {
  /** `Authorization` carries the key behind `Bearer`; any other header carries it alone. */
  readonly keyHeader: string;
  readonly amountFormat: AmountFormat;
  readonly addresses: ApiAddresses;
  readonly paymentFields: FieldPaths<PaymentField>;
  readonly refundFields: FieldPaths<RefundField>;
  readonly listFields: FieldPaths<ListField>;
}

/** What differs from the default contract. */
export type ApiOptions = {
  readonly [Part in keyof ApiShape]?: ApiShape[Part] extends string
    ? ApiShape[Part]
    : Partial<ApiShape[Part]>;
};

const DEFAULT_ADDRESSES: ApiAddresses = {
  create: 'payments',
  read: 'payments/{id}',
  cancel: 'payments/{id}/cancel',
  refund: 'payments/{id}/refunds',
  list: 'payments',
};

export function completeApiShape(options: ApiOptions = {}): ApiShape {
  return {
    keyHeader: options.keyHeader ?? 'Authorization',
    amountFormat: options.amountFormat ?? 'DECIMAL',
    addresses: { ...DEFAULT_ADDRESSES, ...withoutUndefined(options.addresses ?? {}) },
    paymentFields: { ...asTheyAre(PAYMENT_FIELDS), ...withoutUndefined(options.paymentFields ?? {}) },
    refundFields: { ...asTheyAre(REFUND_FIELDS), ...withoutUndefined(options.refundFields ?? {}) },
    listFields: { ...asTheyAre(LIST_FIELDS), ...withoutUndefined(options.listFields ?? {}) },
  };
}

const SENT_OF_A_PAYMENT = [
  'reference',
  'amount',
  'currency',
  'description',
  'return_url',
  'notification_url',
  'customer_email',
  'locale',
  'expires_at',
] as const satisfies readonly PaymentField[];

const SENT_OF_A_REFUND = [
  'payment_id',
  'reference',
  'amount',
  'currency',
  'transfer_id',
] as const satisfies readonly RefundField[];

/** Two fields that can't both be sent, because one would stand in the place of the other. */
export interface Clash {
  readonly of: 'PAYMENT' | 'REFUND';
  readonly paths: readonly [string, string];
}

export function clashOf({ paymentFields, refundFields }: ApiShape): Clash | undefined {
  const ofPayment = clashAmong(SENT_OF_A_PAYMENT.map((field) => paymentFields[field]));
  if (ofPayment) return { of: 'PAYMENT', paths: ofPayment };
  const ofRefund = clashAmong(SENT_OF_A_REFUND.map((field) => refundFields[field]));
  return ofRefund && { of: 'REFUND', paths: ofRefund };
}

function clashAmong(paths: readonly string[]): readonly [string, string] | undefined {
  // Sorted with their dots, whatever lies within a path comes right after it.
  const sorted = paths.map((path) => `${path}.`).sort();
  const at = sorted.findIndex((path, index) => sorted[index + 1]?.startsWith(path));
  return at < 0 ? undefined : [sorted[at]!.slice(0, -1), sorted[at + 1]!.slice(0, -1)];
}

/** What we say, where the bank has it. What is undefined is left out. */
export function documentOf<Field extends string>(
  paths: FieldPaths<Field>,
  values: Partial<Record<Field, unknown>>,
): object {
  const document = emptyDocument();
  for (const [field, value] of Object.entries(values)) {
    if (value !== undefined) place(document, paths[field as Field].split('.'), value);
  }
  return document;
}

type Document = Record<string, unknown>;

function place(document: Document, [name = '', ...deeper]: string[], value: unknown): void {
  if (deeper.length === 0) document[name] = value;
  else place((document[name] ??= emptyDocument()) as Document, deeper, value);
}

/** Without what every object inherits: a bank may call its field "constructor". */
function emptyDocument(): Document {
  return Object.create(null) as Document;
}

function asTheyAre<Field extends string>(fields: readonly Field[]): FieldPaths<Field> {
  const entries = fields.map((field): [Field, string] => [field, field]);
  return Object.fromEntries(entries) as Record<Field, string>;
}
