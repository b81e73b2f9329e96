import type { Currency } from '../../money.js';

/**
 * One bank, as data: a new bank is a new value, not new code. Whatever is left out is as in the default contract, so
 * that a bank which follows it needs a name, an address, a key and a secret.
 */
export interface BankOptions {
  /** Name of the provider and last part of its webhook URL: `bank-x`. */
  readonly name: string;
  /** For people. Default: the name. */
  readonly displayName?: string;
  /** `payments` is asked for below this address. */
  readonly baseUrl: URL;
  readonly apiKey: string;
  /** Any of them proves a notification: two while the bank changes from one to the next. */
  readonly webhookSecrets: readonly string[];
  readonly currencies?: 'ANY' | readonly Currency[];
  /** Inclusive, in minor units. A currency that is not here has no limit of ours. */
  readonly limits?: Readonly<Partial<Record<Currency, AmountLimits>>>;
  /** Sent with every payment, for banks that are told where to notify instead of being configured. */
  readonly notificationUrl?: URL;
  /** For a whole exchange: connecting, asking, and reading the answer. */
  readonly timeoutMilliseconds?: number;
  /** What the bank's words for a status mean. Every word that is not here means `processing`. */
  readonly statusWords?: StatusWords;
  /** What the bank gives back when we ask; its own staff may give back anyway. Default: PARTIAL. */
  readonly refunds?: 'PARTIAL' | 'FULL' | 'NONE';
  /** What the bank's words for a refund's status mean. Every word that is not here means `pending`. */
  readonly refundStatusWords?: RefundStatusWords;
  /**
   * Where the bank's API answers with the id of the movement of a paid payment. It must be the same id that
   * `notification.movementReferencePath` finds, or the same money would be counted twice.
   */
  readonly movementReferencePath?: string;
  readonly notification?: Partial<NotificationShape>;
}

export interface AmountLimits {
  readonly minimum?: number;
  readonly maximum?: number;
}

export type StatusMeaning = 'pending' | 'processing' | 'paid' | 'failed' | 'cancelled';

export type StatusWords = Readonly<Record<string, StatusMeaning>>;

export type RefundStatusMeaning = 'pending' | 'succeeded' | 'failed';

export type RefundStatusWords = Readonly<Record<string, RefundStatusMeaning>>;

/** How a bank's notification is signed, and where in its JSON things are. Paths are names joined by dots: `data.reference`. */
export interface NotificationShape {
  readonly signature: SignatureShape;
  /** DIGEST: the bank gives no id, so the SHA-256 of the body is it. */
  readonly eventId:
    | { readonly from: 'BODY'; readonly path: string }
    | { readonly from: 'HEADER'; readonly header: string }
    | { readonly from: 'DIGEST' };
  readonly typePath: string;
  /** The types that tell of a payment; others are ignored, unless they tell of a refund. */
  readonly paymentTypes: 'ALL' | readonly string[];
  /** Our reference of the payment, in what is told of a refund too. */
  readonly referencePath: string;
  readonly statusPath: string;
  readonly amountPath: string;
  readonly amountFormat: AmountFormat;
  /** ALWAYS: for a bank that knows one currency and does not name it. */
  readonly currency:
    | { readonly from: 'BODY'; readonly path: string }
    | { readonly from: 'ALWAYS'; readonly currency: Currency };
  readonly movementReferencePath: string;
  /** The bank's id of the payment. Need not be there: our own reference is enough. */
  readonly providerReferencePath: string;
  /** The types that tell of a refund. Its payment and its currency are found where a payment's are. */
  readonly refundTypes: readonly string[];
  /** The bank's id of the refund: the one that its API gives it. */
  readonly refundIdPath: string;
  /** Our reference of the refund. Nothing is there when the bank's own staff made it. */
  readonly refundReferencePath: string;
  readonly refundStatusPath: string;
  readonly refundAmountPath: string;
}

/** DECIMAL: "10.99", a string in major units. MINOR_UNITS: 1099, an integer. */
export type AmountFormat = 'DECIMAL' | 'MINOR_UNITS';

/** HMAC-SHA256, always; the rest differs. */
export interface SignatureShape {
  readonly header: string;
  /** `hex` is lower case. */
  readonly encoding: 'hex' | 'base64';
  /** What stands before the signature: '', `sha256=`; with an inline timestamp the scheme, `v1=`. */
  readonly prefix: string;
  readonly message: SignedMessage;
}

/** What is signed: the body alone, or a timestamp in Unix seconds, with or without a dot between, and the body. */
export type SignedMessage =
  | { readonly form: 'body' }
  | {
      readonly form: 'ts.body' | 'ts+body';
      /** INLINE: in the signature's own header, `t=1760000000,v1=…`. */
      readonly timestamp: 'INLINE' | { readonly header: string };
      /** Older notifications, and those from further in the future, are refused. */
      readonly toleranceSeconds: number;
    };

/** Options with nothing left open. */
export type Bank = Required<Omit<BankOptions, 'notification' | 'notificationUrl'>> & {
  readonly notification: NotificationShape;
  readonly notificationUrl: URL | undefined;
};

const DEFAULT_STATUS_WORDS: StatusWords = {
  CREATED: 'pending',
  AUTHORISING: 'processing',
  BOOKED: 'paid',
  REJECTED: 'failed',
  CANCELLED: 'cancelled',
  EXPIRED: 'cancelled',
};

const DEFAULT_REFUND_STATUS_WORDS: RefundStatusWords = {
  PENDING: 'pending',
  BOOKED: 'succeeded',
  REJECTED: 'failed',
};

const DEFAULT_NOTIFICATION: NotificationShape = {
  signature: {
    header: 'X-Signature',
    encoding: 'hex',
    prefix: 'v1=',
    message: { form: 'ts.body', timestamp: 'INLINE', toleranceSeconds: 300 },
  },
  // The X-Bank-Event-Id header says the same, but the signature does not cover it.
  eventId: { from: 'BODY', path: 'id' },
  typePath: 'type',
  paymentTypes: [
    'transfer.credited',
    'payment.authorising',
    'payment.rejected',
    'payment.cancelled',
    'payment.expired',
  ],
  referencePath: 'data.reference',
  statusPath: 'data.status',
  amountPath: 'data.amount',
  amountFormat: 'DECIMAL',
  currency: { from: 'BODY', path: 'data.currency' },
  movementReferencePath: 'data.transfer_id',
  providerReferencePath: 'data.payment_id',
  refundTypes: ['refund.booked', 'refund.rejected'],
  refundIdPath: 'data.refund_id',
  refundReferencePath: 'data.refund_reference',
  refundStatusPath: 'data.status',
  refundAmountPath: 'data.amount',
};

const DEFAULT_TIMEOUT_MILLISECONDS = 10_000;

/** @throws {RangeError} for options with which no payment could be made or no notification be proven. */
export function completeBankOptions(options: BankOptions): Bank {
  refuseUnusable(options);
  return {
    name: options.name,
    displayName: options.displayName ?? options.name,
    baseUrl: options.baseUrl,
    apiKey: options.apiKey,
    webhookSecrets: options.webhookSecrets,
    currencies: options.currencies ?? 'ANY',
    limits: options.limits ?? {},
    notificationUrl: options.notificationUrl,
    timeoutMilliseconds: options.timeoutMilliseconds ?? DEFAULT_TIMEOUT_MILLISECONDS,
    statusWords: options.statusWords ?? DEFAULT_STATUS_WORDS,
    refunds: options.refunds ?? 'PARTIAL',
    refundStatusWords: options.refundStatusWords ?? DEFAULT_REFUND_STATUS_WORDS,
    movementReferencePath: options.movementReferencePath ?? 'transfer_id',
    notification: { ...DEFAULT_NOTIFICATION, ...withoutUndefined(options.notification ?? {}) },
  };
}

function refuseUnusable({ name, apiKey, webhookSecrets, baseUrl }: BankOptions): void {
  const complain = (problem: string) => {
    throw new RangeError(`bank "${name}": ${problem}`);
  };
  if (!/^[\x21-\x7e]+$/.test(apiKey)) complain('the API key must be printable ASCII without spaces');
  if (webhookSecrets.length === 0) complain('at least one webhook secret is needed');
  // Anybody can sign with an empty secret.
  if (webhookSecrets.some((secret) => secret.trim() === '')) complain('a webhook secret is empty');
  if (!['http:', 'https:'].includes(baseUrl.protocol)) complain('the base URL must be http or https');
}

function withoutUndefined<T extends object>(given: T): T {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as T;
}
