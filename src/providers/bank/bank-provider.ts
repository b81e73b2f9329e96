import { toDecimal } from '../../money.js';
import {
  type AttemptToInitiate,
  type Capabilities,
  type Initiated,
  type InitiatedAttempt,
  type Provider,
  type ProviderEvent,
  ProviderFailure,
} from '../provider.js';
import { type BankCall, callBank } from './bank-exchange.js';
import { parseBankNotification, readBankNotification } from './bank-notification.js';
import { type Bank, type BankOptions, completeBankOptions } from './bank-options.js';
import { readInitiated, readState } from './bank-payment.js';

/** Speaks to one bank. There is no `updateAmount`: a payment at the bank keeps its amount. */
export function createBankProvider(options: BankOptions): Provider {
  const bank = completeBankOptions(options);
  return {
    name: bank.name,
    capabilities: capabilitiesOf(bank),
    notificationHeaders: notificationHeadersOf(bank),
    initiate: (attempt) => initiate(bank, attempt),
    verify: (attempt) => verify(bank, attempt),
    cancel: (attempt) => cancel(bank, attempt),
    parseNotification: (rawBody, headers, receivedAt) =>
      parseBankNotification(bank, rawBody, headers, receivedAt),
    readKeptNotification: (body, headers) => readBankNotification(bank, body, headers),
  };
}

function notificationHeadersOf({ notification: { signature, eventId } }: Bank): string[] {
  const { message } = signature;
  const names = [signature.header];
  if (message.form !== 'body' && message.timestamp !== 'INLINE') names.push(message.timestamp.header);
  if (eventId.from === 'HEADER') names.push(eventId.header);
  return names.map((name) => name.toLowerCase());
}

function capabilitiesOf(bank: Bank): Capabilities {
  return {
    ways: [{ method: 'BANK', presentation: 'REDIRECT' }],
    currencies: bank.currencies,
    limits: (currency) => bank.limits[currency] ?? {},
    webhookProof: 'SIGNED',
  };
}

/** The bank knows one payment of each reference, so asking again gives the same one. */
async function initiate(bank: Bank, attempt: AttemptToInitiate): Promise<Initiated> {
  refuseWhatWeCannot(bank, attempt);
  const call: BankCall = {
    method: 'POST',
    path: 'payments',
    idempotencyKey: attempt.idempotencyKey,
    body: {
      reference: attempt.reference,
      amount: toDecimal(attempt.amount, attempt.currency),
      currency: attempt.currency,
      description: attempt.description,
      return_url: attempt.returnUrl,
      notification_url: bank.notificationUrl?.href,
      customer_email: attempt.customerEmail,
      locale: attempt.locale,
      expires_at: attempt.expiresAt.toISOString(),
    },
  };
  return readInitiated(bank, call, await callBank(bank, call), attempt);
}

async function verify(bank: Bank, attempt: InitiatedAttempt): Promise<ProviderEvent> {
  const call: BankCall = { method: 'GET', path: `payments/${encodeURIComponent(attempt.providerReference)}` };
  return readState(bank, call, await callBank(bank, call), attempt);
}

async function cancel(bank: Bank, attempt: InitiatedAttempt): Promise<ProviderEvent> {
  const call: BankCall = {
    method: 'POST',
    path: `payments/${encodeURIComponent(attempt.providerReference)}/cancel`,
    // No idempotency key: it would bring back an old "not now" after the payment has become cancellable.
    alsoReads: [409],
  };
  return readState(bank, call, await callBank(bank, call), attempt);
}

function refuseWhatWeCannot(bank: Bank, attempt: AttemptToInitiate): void {
  const refuse = (code: string, message: string) => {
    throw new ProviderFailure(bank.name, 'rejected', code, message);
  };
  if (attempt.method !== 'BANK' || attempt.presentation !== 'REDIRECT') {
    refuse('WAY_NOT_SUPPORTED', `${bank.displayName} takes bank payments on its own page, and nothing else.`);
  }
  if (bank.currencies !== 'ANY' && !bank.currencies.includes(attempt.currency)) {
    refuse('CURRENCY_NOT_SUPPORTED', `${bank.displayName} does not take ${attempt.currency}.`);
  }
  if (attempt.returnUrl === undefined) {
    refuse('RETURN_URL_MISSING', `${bank.displayName} needs an address to send the payer back to.`);
  }
}
