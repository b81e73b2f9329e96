import type { Currency } from '../../money.js';
import {
  type AttemptToInitiate,
  type Capabilities,
  type Country,
  type Initiated,
  type InitiatedAttempt,
  type OfferedWay,
  type Provider,
  type ProviderEvent,
  ProviderFailure,
} from '../provider.js';
import { confirmInvoice } from './confirm-invoice.js';
import { createInvoice } from './create-invoice.js';
import {
  parsePayDunyaNotification,
  readKeptPayDunyaNotification,
  withoutHash,
} from './paydunya-notification.js';
import { completePayDunyaOptions, type PayDunya, type PayDunyaOptions } from './paydunya-options.js';
import { phonePayerOf, publicOperators } from './phone-payer.js';
import { payByPhone } from './softpay.js';

/**
 * Speaks to PayDunya: wallets, mobile money and cards of West Africa, in francs. There is no `refund` (no such API was
 * found), no `cancel` and no `updateAmount` (nobody but the payer and time can end an invoice, and nobody can change
 * it), no `capture`, and no list of anything.
 */
export function createPayDunyaProvider(options: PayDunyaOptions): Provider {
  const paydunya = completePayDunyaOptions(options);
  return {
    name: paydunya.name,
    capabilities: capabilitiesOf(paydunya),
    notificationHeaders: [],
    ...(paydunya.offersSoftPay && { reserve: (attempt) => reserve(paydunya, attempt) }),
    initiate: (attempt) => initiate(paydunya, attempt),
    verify: (attempt) => verify(paydunya, attempt),
    parseNotification: (rawBody) => parsePayDunyaNotification(paydunya, rawBody),
    readKeptNotification: (body) => readKeptPayDunyaNotification(paydunya, body),
    keepableBody: (body) => withoutHash(paydunya, body),
  };
}

const CURRENCIES: readonly Currency[] = ['XOF'];

function capabilitiesOf(paydunya: PayDunya): Capabilities {
  return {
    ways: waysOf(paydunya),
    currencies: CURRENCIES,
    // PayDunya publishes none.
    limits: () => ({}),
    webhookProof: 'STATIC_SECRET',
    partialRefunds: false,
  };
}

function waysOf(paydunya: PayDunya): OfferedWay[] {
  const countries = francsIn(paydunya.countries);
  const onPage: OfferedWay[] = [
    { method: 'MOBILE_MONEY', presentation: 'REDIRECT', countries },
    { method: 'WALLET', presentation: 'REDIRECT', countries },
    { method: 'CARD', presentation: 'REDIRECT' },
  ];
  const operators = publicOperators(paydunya);
  if (!paydunya.offersSoftPay || operators.length === 0) return onPage;
  const onPhone: OfferedWay = {
    method: 'MOBILE_MONEY',
    presentation: 'PHONE',
    countries: francsIn(operators.map(({ country }) => country)),
    needs: ['PHONE_NUMBER', 'OPERATOR'],
    operators,
  };
  return [...onPage, onPhone];
}

function francsIn(countries: readonly Country[]): Record<Country, readonly Currency[]> {
  return Object.fromEntries(countries.map((country) => [country, CURRENCIES]));
}

/** An operator asks the payer at once, so the invoice that can be paid only once has to be known before. */
async function reserve(paydunya: PayDunya, attempt: AttemptToInitiate): Promise<string | undefined> {
  refuseWhatWeCannot(paydunya, attempt);
  if (attempt.presentation !== 'PHONE') return undefined;
  // Before there is an invoice for nothing.
  phonePayerOf(paydunya, attempt);
  return (await createInvoice(paydunya, attempt)).token;
}

async function initiate(paydunya: PayDunya, attempt: AttemptToInitiate): Promise<Initiated> {
  refuseWhatWeCannot(paydunya, attempt);
  if (attempt.presentation === 'PHONE') return initiateOnPhone(paydunya, attempt);
  const { token, url } = await createInvoice(paydunya, attempt);
  return { providerReference: token, nextAction: { type: 'RedirectToUrl', url } };
}

async function initiateOnPhone(paydunya: PayDunya, attempt: AttemptToInitiate): Promise<Initiated> {
  const { providerReference } = attempt;
  const payer = phonePayerOf(paydunya, attempt);
  if (providerReference === undefined) {
    throw refusal(paydunya, 'INVOICE_NOT_RESERVED', 'needs an invoice before it can ask an operator');
  }
  return payByPhone(paydunya, { ...attempt, providerReference }, payer);
}

async function verify(paydunya: PayDunya, attempt: InitiatedAttempt): Promise<ProviderEvent[]> {
  const outcome = await confirmInvoice(paydunya, attempt);
  return [{ providerReference: attempt.providerReference, attemptReference: attempt.reference, outcome }];
}

function refuseWhatWeCannot(paydunya: PayDunya, attempt: AttemptToInitiate): void {
  const { method, presentation, country } = attempt;
  const way = waysOf(paydunya).find(
    (offered) => offered.method === method && offered.presentation === presentation,
  );
  if (!way) throw refusal(paydunya, 'WAY_NOT_SUPPORTED', 'does not offer this way to pay');
  if (!CURRENCIES.includes(attempt.currency)) {
    throw refusal(paydunya, 'CURRENCY_NOT_SUPPORTED', `does not take ${attempt.currency}`);
  }
  if (country !== undefined && way.countries && !Object.hasOwn(way.countries, country)) {
    throw refusal(paydunya, 'COUNTRY_NOT_SUPPORTED', `does not take this way to pay in ${country}`);
  }
  if (attempt.captureMethod === 'MANUAL') {
    throw refusal(paydunya, 'CAPTURE_NOT_SUPPORTED', 'takes money at once, and can’t hold it');
  }
  if (presentation === 'REDIRECT' && attempt.returnUrl === undefined) {
    throw refusal(paydunya, 'RETURN_URL_MISSING', 'needs an address to send the payer back to');
  }
}

function refusal({ name, displayName }: PayDunya, code: string, what: string): ProviderFailure {
  return new ProviderFailure(name, 'rejected', code, `${displayName} ${what}.`);
}
