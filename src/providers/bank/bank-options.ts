import type { AmountExponents, AmountNotation } from './bank-amount.js';
import type { Currency } from '../../money.js';
import { type ApiOptions, type ApiShape, clashOf, completeApiShape } from './api-shape.js';
import { withoutUndefined } from './without-undefined.js';
import { readWebhookKey } from './webhook-key.js';
import { DEFAULT_NOTIFICATION, type NotificationShape, problemOfSignature } from './notification-shape.js';

/**
 * One bank, as data: a new bank is a new value, not new code. Whatever is left out is as in the default contract, so
 * that a bank which follows it needs a name, an address, a key and a secret.
 */
export interface BankOptions {
  /** Name of the provider and last part of its webhook URL: `bank-x`. */
  readonly name: string;
  /** For people. Default: the name. */
  readonly displayName?: string;
  /** Everything is asked for below this address. */
  readonly baseUrl: URL;
  readonly apiKey: string;
  /** Any of them proves a notification: two while the bank changes from one to the next. */
  readonly webhookSecrets: readonly string[];
  readonly currencies?: 'ANY' | readonly Currency[];
  /** Inclusive, in minor units. A currency that is not here has no limit of ours. */
  readonly limits?: Readonly<Partial<Record<Currency, AmountLimits>>>;
  /** Where the bank counts a currency with other decimals than ISO 4217, in all that is said to it and by it. */
  readonly amountExponents?: AmountExponents;
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
  readonly api?: ApiOptions;
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

/** Options with nothing left open. */
export type Bank = Required<
  Omit<BankOptions, 'api' | 'notification' | 'notificationUrl' | 'webhookSecrets'>
> & {
  readonly webhookKeys: readonly Buffer[];
  readonly api: ApiShape;
  readonly notification: NotificationShape;
  readonly notificationUrl: URL | undefined;
  readonly amounts: { readonly api: AmountNotation; readonly notification: AmountNotation };
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

const DEFAULT_TIMEOUT_MILLISECONDS = 10_000;

/** @throws {RangeError} for options with which no payment could be made or no notification be proven. */
export function completeBankOptions(options: BankOptions): Bank {
  const api = completeApiShape(options.api);
  const notification = { ...DEFAULT_NOTIFICATION, ...withoutUndefined(options.notification ?? {}) };
  const exponents = options.amountExponents ?? {};
  const bank: Bank = {
    name: options.name,
    displayName: options.displayName ?? options.name,
    baseUrl: options.baseUrl,
    apiKey: options.apiKey,
    webhookKeys: readKeys(options, notification),
    currencies: options.currencies ?? 'ANY',
    limits: options.limits ?? {},
    notificationUrl: options.notificationUrl,
    timeoutMilliseconds: options.timeoutMilliseconds ?? DEFAULT_TIMEOUT_MILLISECONDS,
    statusWords: options.statusWords ?? DEFAULT_STATUS_WORDS,
    refunds: options.refunds ?? 'PARTIAL',
    refundStatusWords: options.refundStatusWords ?? DEFAULT_REFUND_STATUS_WORDS,
    amountExponents: exponents,
    amounts: {
      api: { format: api.amountFormat, exponents },
      notification: { format: notification.amountFormat, exponents },
    },
    api,
    notification,
  };
  refuseUnusable(bank);
  return bank;
}

function readKeys(
  { name, webhookSecrets }: BankOptions,
  { signature }: Pick<NotificationShape, 'signature'>,
): Buffer[] {
  try {
    return webhookSecrets.map((secret) => readWebhookKey(secret, signature));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RangeError(`bank "${name}": a webhook secret ${error.message}`, { cause: error });
  }
}

function refuseUnusable({ name, apiKey, webhookKeys, baseUrl, api, notification }: Bank): void {
  const complain = (problem: string) => {
    throw new RangeError(`bank "${name}": ${problem}`);
  };
  if (!/^[\x21-\x7e]+$/.test(apiKey)) complain('the API key must be printable ASCII without spaces');
  if (webhookKeys.length === 0) complain('at least one webhook secret is needed');
  // Anybody can sign with an empty secret.
  if (webhookKeys.some((key) => key.toString('latin1').trim() === '')) complain('a webhook secret is empty');
  if (!['http:', 'https:'].includes(baseUrl.protocol)) complain('the base URL must be http or https');
  const clash = clashOf(api);
  if (clash) complain(`what we send can't be both at ${clash.paths.join(' and at ')}`);
  const problem = problemOfSignature(notification.signature);
  if (problem !== undefined) complain(problem);
}
