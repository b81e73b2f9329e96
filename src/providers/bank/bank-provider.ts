import {
  type AttemptToInitiate,
  type Capabilities,
  type Initiated,
  type InitiatedAttempt,
  type PromptProvider,
  type Provider,
  type ProviderEvent,
  ProviderFailure,
  type RefundToMake,
} from '../provider.js';
import { toDecimal } from '../../money.js';
import { documentOf } from './api-shape.js';
import { writeAmount } from './bank-amount.js';
import { type BankCall, callBank } from './bank-exchange.js';
import { isDigest } from './bank-identifier.js';
import { listBankPayments } from './bank-listing.js';
import { parseBankNotification, readBankNotification } from './bank-notification.js';
import { type Bank, type BankOptions, completeBankOptions } from './bank-options.js';
import type { SignatureShape } from './notification-shape.js';
import { readInitiated, readState } from './bank-payment.js';
import { readRefundMade, readRefunds } from './bank-refund.js';

/** Its notifications can be judged with what we have. Whether it cancels depends on the bank. */
export type BankProvider = Omit<PromptProvider, 'cancel'> & Pick<Provider, 'cancel'>;

/**
 * Speaks to one bank, by the contract in contract.md. There is no `updateAmount`: a payment at the bank keeps its amount;
 * no `capture`: a bank holds nothing; and no `listNotifications`: it keeps none.
 */
export function createBankProvider(options: BankOptions): BankProvider {
  const bank = completeBankOptions(options);
  const { addresses } = bank.api;
  return {
    name: bank.name,
    capabilities: capabilitiesOf(bank),
    notificationHeaders: notificationHeadersOf(bank),
    initiate: (attempt) => initiate(bank, attempt),
    verify: (attempt) => verify(bank, attempt),
    ...(addresses.cancel !== 'NONE' && { cancel: (attempt) => cancel(bank, attempt) }),
    ...(bank.refunds !== 'NONE' && { refund: (wanted) => refund(bank, wanted) }),
    ...(addresses.list !== 'NONE' && {
      listPayments: (since, until) => listBankPayments(bank, since, until),
    }),
    parseNotification: (rawBody, headers, receivedAt) =>
      parseBankNotification(bank, rawBody, headers, receivedAt),
    readKeptNotification: (body, headers) => readBankNotification(bank, body, headers),
  };
}

function notificationHeadersOf({ notification: { signature, eventId } }: Bank): string[] {
  // Its charset is needed to read the body again.
  const names = ['content-type', ...(signature.scheme === 'TOKEN' ? [] : headersOfSignature(signature))];
  if (eventId.from === 'HEADER') names.push(eventId.header);
  return [...new Set(names.map((name) => name.toLowerCase()))];
}

/** Never a token's: whoever reads that one could send notifications. */
function headersOfSignature({ header, message }: SignatureShape): string[] {
  if (message.form === 'body') return [header];
  const timestamp = message.timestamp === 'INLINE' ? [] : [message.timestamp.header];
  return [header, ...timestamp, ...(message.form === 'id.ts.body' ? [message.id.header] : [])];
}

function capabilitiesOf(bank: Bank): Capabilities {
  return {
    ways: [{ method: 'BANK', presentation: 'REDIRECT' }],
    currencies: bank.currencies,
    limits: (currency) => bank.limits[currency] ?? {},
    webhookProof: bank.notification.signature.scheme === 'TOKEN' ? 'STATIC_SECRET' : 'SIGNED',
    partialRefunds: bank.refunds === 'PARTIAL',
  };
}

/** The bank knows one payment of each reference, so asking again gives the same one. */
async function initiate(bank: Bank, attempt: AttemptToInitiate): Promise<Initiated> {
  refuseWhatWeCannot(bank, attempt);
  const { addresses, paymentFields } = bank.api;
  const call: BankCall = {
    method: 'POST',
    path: addresses.create,
    idempotencyKey: attempt.idempotencyKey,
    body: documentOf(paymentFields, {
      reference: attempt.reference,
      amount: amountOf(bank, attempt),
      currency: attempt.currency,
      description: attempt.description,
      return_url: attempt.returnUrl,
      notification_url: bank.notificationUrl?.href,
      customer_email: attempt.customerEmail,
      locale: attempt.locale,
      expires_at: attempt.expiresAt.toISOString(),
    }),
  };
  return readInitiated(bank, call, await callBank(bank, call), attempt);
}

async function verify(bank: Bank, attempt: InitiatedAttempt): Promise<ProviderEvent[]> {
  const call: BankCall = { method: 'GET', path: addressFor(bank.api.addresses.read, attempt) };
  const json = await callBank(bank, call);
  return [readState(bank, call, json, attempt), ...readRefunds(bank, call, json, attempt)];
}

async function cancel(bank: Bank, attempt: InitiatedAttempt): Promise<ProviderEvent> {
  const call: BankCall = {
    method: 'POST',
    path: addressFor(bank.api.addresses.cancel, attempt),
    // No idempotency key: it would bring back an old "not now" after the payment has become cancellable.
    alsoReads: [409],
  };
  return readState(bank, call, await callBank(bank, call), attempt);
}

/** The bank knows one refund of each reference, so asking again gives the same one. */
async function refund(bank: Bank, wanted: RefundToMake): Promise<ProviderEvent> {
  const { addresses, refundFields } = bank.api;
  const call: BankCall = {
    method: 'POST',
    path: addressFor(addresses.refund, wanted.attempt),
    idempotencyKey: wanted.idempotencyKey,
    body: documentOf(refundFields, {
      reference: wanted.reference,
      amount: amountOf(bank, wanted),
      currency: wanted.currency,
      // The refund's address, or payment_id, names the payment all the same.
      ...(!isDigest(wanted.captureReference) && { transfer_id: wanted.captureReference }),
      ...(!addresses.refund.includes(ID) && { payment_id: wanted.attempt.providerReference }),
    }),
  };
  return readRefundMade(bank, call, await callBank(bank, call), wanted);
}

const ID = '{id}';

function addressFor(address: string, { providerReference }: InitiatedAttempt): string {
  return address.replaceAll(ID, encodeURIComponent(providerReference));
}

function amountOf(
  { name, displayName, amounts }: Bank,
  { amount, currency }: Pick<AttemptToInitiate, 'amount' | 'currency'>,
): string | number {
  const written = writeAmount(amount, amounts.api, currency);
  if (written !== undefined) return written;
  const message = `${displayName} can't be told ${toDecimal(amount, currency)} ${currency} exactly, as it writes amounts.`;
  throw new ProviderFailure(name, 'rejected', 'AMOUNT_NOT_EXACT', message, { isAboutAmount: true });
}

function refuseWhatWeCannot(bank: Bank, attempt: AttemptToInitiate): void {
  const refuse = (code: string, message: string) => {
    throw new ProviderFailure(bank.name, 'rejected', code, message);
  };
  if (attempt.method !== 'BANK' || attempt.presentation !== 'REDIRECT') {
    refuse('WAY_NOT_SUPPORTED', `${bank.displayName} takes bank payments on its own page, and nothing else.`);
  }
  if (attempt.captureMethod === 'MANUAL') {
    refuse('CAPTURE_NOT_SUPPORTED', `${bank.displayName} takes money at once, and can't hold it.`);
  }
  if (bank.currencies !== 'ANY' && !bank.currencies.includes(attempt.currency)) {
    refuse('CURRENCY_NOT_SUPPORTED', `${bank.displayName} does not take ${attempt.currency}.`);
  }
  if (attempt.returnUrl === undefined) {
    refuse('RETURN_URL_MISSING', `${bank.displayName} needs an address to send the payer back to.`);
  }
}
