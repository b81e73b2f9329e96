import { BANK_VARIABLES } from './bank-variables.js';
import { type Environment, isSet, readAll, type ValuesOf } from './environment.js';
import { CURRENCIES } from './money.js';
import { type ApiOptions, clashOf, completeApiShape } from './providers/bank/api-shape.js';
import type { AmountLimits, BankOptions } from './providers/bank/bank-options.js';
import {
  DEFAULT_NOTIFICATION,
  DEFAULT_TOLERANCE_SECONDS,
  type NotificationShape,
  problemOfSignature,
  type SignatureShape,
  type SignedMessage,
} from './providers/bank/notification-shape.js';
import { withoutUndefined } from './providers/bank/without-undefined.js';

export { BANK_VARIABLES };

/** A bank as it is configured; its name is `bank-x`. Where it notifies us is known once we listen. */
export type BankConfig = Omit<BankOptions, 'notificationUrl'>;

type Values = ValuesOf<typeof BANK_VARIABLES>;

/** Notes a fault of one variable of a bank. */
type Complain = (variable: keyof typeof BANK_VARIABLES, fault: string) => void;

/**
 * The banks that BANKS names, each from its own variables.
 * @param faults is told of everything that makes no sense; then what is returned is not to be used.
 */
export function readBanks(
  names: readonly string[],
  environment: Environment,
  faults: string[],
): BankConfig[] {
  faults.push(...strayVariables(names, environment));
  const banks = names.flatMap((name) => readBank(name, environment, faults) ?? []);
  faults.push(...sharedSecrets(banks));
  return banks;
}

function strayVariables(names: readonly string[], environment: Environment): string[] {
  const known = new Set(names.map((name) => name.toUpperCase()));
  return Object.keys(environment).flatMap((variable) => {
    const [, bank, name] = /^BANK_([A-Z][A-Z0-9]*)_(.*)$/.exec(variable) ?? [];
    if (bank === undefined || name === undefined || !isSet(environment[variable])) return [];
    if (!known.has(bank)) return [`${variable} is set, but ${bank.toLowerCase()} is not in BANKS`];
    return Object.hasOwn(BANK_VARIABLES, name) ? [] : [`${variable} is not a variable of a bank`];
  });
}

/** Who knows a secret can speak for every bank that signs with it. */
function sharedSecrets(banks: readonly BankConfig[]): string[] {
  return banks.flatMap(({ name, webhookSecrets }, index) => {
    const other = banks
      .slice(0, index)
      .find((earlier) => earlier.webhookSecrets.some((secret) => webhookSecrets.includes(secret)));
    return other ? [`${other.name} and ${name} have a webhook secret in common: each needs its own`] : [];
  });
}

function readBank(name: string, environment: Environment, faults: string[]): BankConfig | undefined {
  const prefix = `BANK_${name.toUpperCase()}_`;
  const values = readAll(BANK_VARIABLES, environment, prefix, faults);
  const { URL: url, API_KEY: apiKey, WEBHOOK_SECRETS: webhookSecrets } = values;
  const missing = ['URL', 'API_KEY', 'WEBHOOK_SECRETS'].filter(
    (needed) => !isSet(environment[prefix + needed]),
  );
  faults.push(...missing.map((needed) => `${prefix}${needed} is needed, because BANKS names ${name}`));
  const complain: Complain = (variable, fault) => void faults.push(`${prefix}${variable} ${fault}`);
  const bank = {
    limits: readLimits(values, complain),
    api: readApi(values, complain),
    notification: readNotification(values, complain),
  };
  if (!url || !apiKey || !webhookSecrets) return undefined;
  return withoutUndefined({
    ...bank,
    name: `bank-${name}`,
    displayName: values.DISPLAY_NAME,
    refunds: values.REFUNDS,
    baseUrl: new URL(url),
    apiKey,
    webhookSecrets,
    currencies: values.CURRENCIES,
    timeoutMilliseconds: values.TIMEOUT_SECONDS && values.TIMEOUT_SECONDS * 1_000,
    statusWords: values.STATUS_WORDS,
    refundStatusWords: values.REFUND_STATUS_WORDS,
  });
}

function readLimits(values: Values, complain: Complain): BankOptions['limits'] {
  const { MINIMUM_AMOUNTS: minimums, MAXIMUM_AMOUNTS: maximums, CURRENCIES: taken = CURRENCIES } = values;
  const limits: [string, AmountLimits][] = [];
  for (const currency of CURRENCIES) {
    const [minimum, maximum] = [minimums?.get(currency), maximums?.get(currency)];
    if (minimum === undefined && maximum === undefined) continue;
    if (!taken.includes(currency)) {
      complain(
        minimum === undefined ? 'MAXIMUM_AMOUNTS' : 'MINIMUM_AMOUNTS',
        `names ${currency}, which is not in CURRENCIES`,
      );
    }
    if (minimum !== undefined && maximum !== undefined && minimum > maximum) {
      complain('MINIMUM_AMOUNTS', `has more ${currency} than MAXIMUM_AMOUNTS`);
    }
    limits.push([currency, withoutUndefined({ minimum, maximum })]);
  }
  return limits.length > 0 ? Object.fromEntries(limits) : undefined;
}

function readApi(values: Values, complain: Complain): ApiOptions {
  const api = withoutUndefined({
    keyHeader: values.API_KEY_HEADER,
    amountFormat: values.AMOUNT_FORMAT,
    addresses: withoutUndefined({
      create: values.CREATE_ADDRESS,
      read: values.READ_ADDRESS,
      cancel: values.CANCEL_ADDRESS,
      refund: values.REFUND_ADDRESS,
      list: values.LIST_ADDRESS,
    }),
    paymentFields: values.PAYMENT_FIELDS,
    refundFields: values.REFUND_FIELDS,
    listFields: values.LIST_FIELDS,
  });
  const clash = clashOf(completeApiShape(api));
  if (clash) {
    const [one, other] = clash.paths;
    complain(
      clash.of === 'PAYMENT' ? 'PAYMENT_FIELDS' : 'REFUND_FIELDS',
      `would send two things to one place: ${one === other ? one : `${one} and ${other}`}`,
    );
  }
  return api;
}

function readNotification(values: Values, complain: Complain): Partial<NotificationShape> {
  checkTypes(values, complain);
  const { CURRENCY_PATH: currency } = values;
  if (currency?.from === 'ALWAYS' && values.CURRENCIES?.join() !== currency.currency) {
    complain('CURRENCY_PATH', `is always:${currency.currency}, so CURRENCIES must be ${currency.currency}`);
  }
  return withoutUndefined({
    signature: readSignature(values, complain),
    eventId: values.EVENT_ID,
    typePath: values.TYPE_PATH,
    paymentTypes: values.PAYMENT_TYPES,
    refundTypes: values.REFUND_TYPES,
    currency,
    amountFormat: values.AMOUNT_FORMAT,
    referencePath: values.REFERENCE_PATH,
    statusPath: values.STATUS_PATH,
    amountPath: values.AMOUNT_PATH,
    movementReferencePath: values.TRANSFER_ID_PATH,
    providerReferencePath: values.PAYMENT_ID_PATH,
    refundIdPath: values.REFUND_ID_PATH,
    refundReferencePath: values.REFUND_REFERENCE_PATH,
    refundStatusPath: values.REFUND_STATUS_PATH,
    refundAmountPath: values.REFUND_AMOUNT_PATH,
  });
}

function checkTypes({ PAYMENT_TYPES, REFUND_TYPES }: Values, complain: Complain): void {
  const ofPayments = PAYMENT_TYPES ?? DEFAULT_NOTIFICATION.paymentTypes;
  const ofRefunds = REFUND_TYPES ?? DEFAULT_NOTIFICATION.refundTypes;
  const both = ofRefunds.find((type) => ofPayments !== 'ALL' && ofPayments.includes(type));
  if (both === undefined) return;
  const [variable, other] = PAYMENT_TYPES
    ? (['PAYMENT_TYPES', 'refunds'] as const)
    : (['REFUND_TYPES', 'payments'] as const);
  complain(variable, `has ${both}, which tells of ${other}`);
}

function readSignature(values: Values, complain: Complain): SignatureShape {
  const message = readSignedMessage(values, complain);
  const isInline = message.form !== 'body' && message.timestamp === 'INLINE';
  const signature = withoutUndefined({
    header: values.SIGNATURE_HEADER ?? DEFAULT_NOTIFICATION.signature.header,
    algorithm: values.SIGNATURE_ALGORITHM,
    encoding: values.SIGNATURE_ENCODING ?? DEFAULT_NOTIFICATION.signature.encoding,
    // `v1=` tells the signature from the time beside it; alone it needs no such thing.
    prefix: values.SIGNATURE_PREFIX ?? (isInline ? DEFAULT_NOTIFICATION.signature.prefix : ''),
    message,
  });
  const problem = problemOfSignature(signature);
  if (problem !== undefined) complain('SIGNATURE_PREFIX', `is not possible: ${problem}`);
  return signature;
}

function readSignedMessage(values: Values, complain: Complain): SignedMessage {
  const { SIGNED_MESSAGE: form = 'ts.body', TIMESTAMP: timestamp = 'INLINE' } = values;
  if (form === 'body') {
    for (const variable of ['TIMESTAMP', 'TIMESTAMP_TOLERANCE_SECONDS'] as const) {
      if (values[variable] === undefined) continue;
      complain(variable, 'is set, but SIGNED_MESSAGE is body: a time that nobody signs proves nothing');
    }
    return { form };
  }
  const header = values.SIGNATURE_HEADER ?? DEFAULT_NOTIFICATION.signature.header;
  if (timestamp !== 'INLINE' && timestamp.header.toLowerCase() === header.toLowerCase()) {
    complain('TIMESTAMP', 'is the header of the signature itself: then it is inline');
  }
  const toleranceSeconds = values.TIMESTAMP_TOLERANCE_SECONDS ?? DEFAULT_TOLERANCE_SECONDS;
  return { form, timestamp, toleranceSeconds };
}
