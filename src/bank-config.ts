import { BANK_VARIABLES } from './bank-variables.js';
import { type Environment, isSet, readAll, type ValuesOf } from './environment.js';
import { CURRENCIES } from './money.js';
import { type ApiOptions, clashOf, completeApiShape } from './providers/bank/api-shape.js';
import type { AmountExponents } from './providers/bank/bank-amount.js';
import type { AmountLimits, BankOptions } from './providers/bank/bank-options.js';
import {
  DEFAULT_NOTIFICATION,
  DEFAULT_SIGNATURE,
  DEFAULT_TOLERANCE_SECONDS,
  type NotificationShape,
  problemOfSignature,
  type ProofShape,
  type SignatureShape,
  type SignedMessage,
  STANDARD_WEBHOOKS_SIGNATURE,
  type TokenShape,
} from './providers/bank/notification-shape.js';
import { readWebhookKey } from './providers/bank/webhook-key.js';
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
  // By their bytes: hex: and base64: may write one key in two ways.
  const read = banks.map(({ name, webhookSecrets, notification }) => {
    const proof = notification?.signature ?? DEFAULT_SIGNATURE;
    return { name, keys: webhookSecrets.map((secret) => readWebhookKey(secret, proof)) };
  });
  return read.flatMap(({ name, keys }, index) => {
    const other = read
      .slice(0, index)
      .find((earlier) => earlier.keys.some((key) => keys.some((own) => own.equals(key))));
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
  const known = faults.length;
  const complain: Complain = (variable, fault) => void faults.push(`${prefix}${variable} ${fault}`);
  const bank = {
    limits: readLimits(values, complain),
    amountExponents: readExponents(values, complain),
    api: readApi(values, complain),
    notification: readNotification(values, complain),
  };
  if (faults.length > known || !url || !apiKey || !webhookSecrets) return undefined;
  return withoutUndefined({
    ...bank,
    name: `bank-${name}`,
    displayName: values.DISPLAY_NAME,
    refunds: values.REFUNDS,
    baseUrl: new URL(url),
    apiKey,
    webhookSecrets,
    currencies: values.CURRENCIES,
    amountExponents: bank.amountExponents,
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

function readExponents(
  { AMOUNT_EXPONENTS: exponents, CURRENCIES: taken = CURRENCIES }: Values,
  complain: Complain,
): AmountExponents | undefined {
  const notTaken = [...(exponents?.keys() ?? [])].filter((currency) => !taken.includes(currency));
  if (notTaken.length > 0) {
    complain('AMOUNT_EXPONENTS', `names ${notTaken.join(' and ')}, which CURRENCIES does not name`);
  }
  return exponents && Object.fromEntries(exponents);
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
  const proof = readProof(values, complain);
  const { CURRENCY_PATH: currency } = values;
  if (currency?.from === 'ALWAYS' && values.CURRENCIES?.join() !== currency.currency) {
    complain('CURRENCY_PATH', `is always:${currency.currency}, so CURRENCIES must be ${currency.currency}`);
  }
  return withoutUndefined({
    signature: proof,
    bodyFormat: values.NOTIFICATION_FORMAT,
    eventId: readEventId(values, proof),
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

function readProof(values: Values, complain: Complain): ProofShape {
  const proof =
    values.SIGNATURE_SCHEME === 'token' ? readToken(values, complain) : readSignature(values, complain);
  const problem = problemOfSignature(proof);
  if (problem !== undefined) complain('SIGNATURE_PREFIX', `is not possible: ${problem}`);
  for (const fault of faultsOfKeys(values.WEBHOOK_SECRETS ?? [], proof)) complain('WEBHOOK_SECRETS', fault);
  return proof;
}

function faultsOfKeys(secrets: readonly string[], proof: ProofShape): Set<string> {
  const faults = new Set<string>();
  for (const secret of secrets) {
    try {
      readWebhookKey(secret, proof);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      faults.add(error.message);
    }
  }
  return faults;
}

const OF_SIGNATURES = [
  'SIGNATURE_ALGORITHM',
  'SIGNATURE_ENCODING',
  'SIGNED_MESSAGE',
  'SIGNED_ID',
  'TIMESTAMP',
  'TIMESTAMP_TOLERANCE_SECONDS',
] as const;

function readToken(values: Values, complain: Complain): TokenShape {
  for (const variable of OF_SIGNATURES) {
    if (values[variable] !== undefined)
      complain(variable, 'is set, but SIGNATURE_SCHEME is token: nothing is signed');
  }
  if (values.SIGNATURE_HEADER === undefined) {
    complain('SIGNATURE_HEADER', 'is needed, because SIGNATURE_SCHEME is token: it carries the token');
  }
  if (values.READ_ADDRESS === undefined) {
    complain(
      'READ_ADDRESS',
      'is needed, because SIGNATURE_SCHEME is token: a token proves little, so the bank itself is asked about each notification',
    );
  }
  return { scheme: 'TOKEN', header: values.SIGNATURE_HEADER ?? '', prefix: values.SIGNATURE_PREFIX ?? '' };
}

function readSignature(values: Values, complain: Complain): SignatureShape {
  const usual =
    values.SIGNATURE_SCHEME === 'standard-webhooks' ? STANDARD_WEBHOOKS_SIGNATURE : DEFAULT_SIGNATURE;
  const header = values.SIGNATURE_HEADER ?? usual.header;
  const message = readSignedMessage(values, usual, header, complain);
  const isInline = message.form !== 'body' && message.timestamp === 'INLINE';
  return withoutUndefined({
    header,
    algorithm: values.SIGNATURE_ALGORITHM,
    encoding: values.SIGNATURE_ENCODING ?? usual.encoding,
    // `v1=` tells the signature from the time beside it; alone it needs no such thing.
    prefix: values.SIGNATURE_PREFIX ?? (isInline || usual !== DEFAULT_SIGNATURE ? usual.prefix : ''),
    message,
  });
}

function readSignedMessage(
  values: Values,
  usual: SignatureShape,
  signatureHeader: string,
  complain: Complain,
): SignedMessage {
  const { message } = usual;
  const form = values.SIGNED_MESSAGE ?? message.form;
  const refuseBecause = (variables: readonly (keyof typeof BANK_VARIABLES)[], reason: string) => {
    for (const variable of variables) {
      if (values[variable] !== undefined)
        complain(variable, `is set, but SIGNED_MESSAGE is ${form}: ${reason}`);
    }
  };
  if (form !== 'id.ts.body') refuseBecause(['SIGNED_ID'], 'no id is signed');
  if (form === 'body') {
    refuseBecause(['TIMESTAMP', 'TIMESTAMP_TOLERANCE_SECONDS'], 'a time that nobody signs proves nothing');
    return { form };
  }
  const toleranceSeconds = values.TIMESTAMP_TOLERANCE_SECONDS ?? DEFAULT_TOLERANCE_SECONDS;
  if (form === 'id.ts.body') {
    const { id, timestamp: usualTimestamp } = STANDARD_WEBHOOKS_SIGNATURE.message;
    const timestamp = values.TIMESTAMP ?? usualTimestamp;
    if (timestamp === 'INLINE')
      complain('TIMESTAMP', 'is inline, but with an id it stands in a header of its own');
    return {
      form,
      id: values.SIGNED_ID === undefined ? id : { header: values.SIGNED_ID },
      timestamp: timestamp === 'INLINE' ? usualTimestamp : timestamp,
      toleranceSeconds,
    };
  }
  const { TIMESTAMP: timestamp = 'INLINE' } = values;
  if (timestamp !== 'INLINE' && timestamp.header.toLowerCase() === signatureHeader.toLowerCase()) {
    complain('TIMESTAMP', 'is the header of the signature itself: then it is inline');
  }
  return { form, timestamp, toleranceSeconds };
}

/** Of Standard Webhooks the id is signed, so it is taken from there unless told. */
function readEventId(
  { EVENT_ID: eventId }: Values,
  proof: ProofShape,
): NotificationShape['eventId'] | undefined {
  if (eventId !== undefined || proof.scheme === 'TOKEN' || proof.message.form !== 'id.ts.body')
    return eventId;
  return { from: 'HEADER', header: proof.message.id.header };
}
