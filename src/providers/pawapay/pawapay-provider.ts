import type { Currency } from '../../money.js';
import type {
  AttemptToInitiate,
  Capabilities,
  Country,
  Initiated,
  OfferedWay,
  Provider,
} from '../provider.js';
import { type ActiveConfiguration, fetchActiveConfiguration } from './active-configuration.js';
import { readPawaPayAvailability } from './availability.js';
import { initiateOnPage } from './initiate-on-page.js';
import { initiateOnPhone } from './initiate-on-phone.js';
import { KeptAnswer } from './kept-answer.js';
import { NOTIFICATION_HEADERS } from './notification-headers.js';
import { proofOfNotification } from './notification-proof.js';
import { OPERATORS_THAT_NEED_A_CODE } from './pawapay-countries.js';
import { failure } from './pawapay-failures.js';
import { readPawaPayNotification } from './pawapay-notification.js';
import {
  completePawaPayOptions,
  type PawaPayAccount,
  type PawaPayProviderOptions,
} from './pawapay-options.js';
import { makeRefund } from './pawapay-refund.js';
import { verifyDeposit } from './pawapay-verify.js';
import { fetchPublicKeys } from './public-keys.js';

/**
 * Speaks to pawaPay's API v2: mobile money, on the payer's phone or on pawaPay's page. An attempt is a deposit whose id is
 * the attempt's key. There is no `cancel`: only the payer and time end a deposit; no `capture`: nothing is held; no
 * `updateAmount`; and no list of notifications or payments.
 * @throws {TypeError} for options that could never work.
 */
export function createPawaPayProvider(options: PawaPayProviderOptions): Provider {
  const account = completePawaPayOptions(options);
  const configuration: ActiveConfiguration = new KeptAnswer(() => fetchActiveConfiguration(account));
  const keys = new KeptAnswer(() => fetchPublicKeys(account));
  return {
    name: account.name,
    keyIsReference: true,
    capabilities: capabilitiesOf(account),
    notificationHeaders: NOTIFICATION_HEADERS,
    initiate: (attempt) => initiate(account, configuration, attempt),
    verify: (attempt) => verifyDeposit(account, attempt),
    refund: (wanted) => makeRefund(account, wanted),
    readAvailability: () => readPawaPayAvailability(account),
    parseNotification: async (rawBody, headers, receivedAt) => {
      const proof = await proofOfNotification(account, keys, rawBody, headers, receivedAt);
      return typeof proof === 'string' ? readPawaPayNotification(rawBody, proof) : proof;
    },
    readKeptNotification: (body) => readPawaPayNotification(body, 'NONE'),
  };
}

function capabilitiesOf({ countries, requireSignatures }: PawaPayAccount): Capabilities {
  const currenciesByCountry: Record<Country, readonly Currency[]> = {};
  for (const { alpha2, currencies } of countries) currenciesByCountry[alpha2] = currencies;
  const operators = countries.flatMap((country) => country.operators);
  const onPhone: OfferedWay = {
    method: 'MOBILE_MONEY',
    presentation: 'PHONE',
    needs: ['PHONE_NUMBER'],
    countries: currenciesByCountry,
    operators: operators.filter(({ code }) => !OPERATORS_THAT_NEED_A_CODE.has(code)),
  };
  const onPage: OfferedWay = {
    method: 'MOBILE_MONEY',
    presentation: 'REDIRECT',
    needs: ['COUNTRY'],
    countries: currenciesByCountry,
    operators,
  };
  return {
    ways: [onPhone, onPage],
    currencies: [...new Set(countries.flatMap(({ currencies }) => currencies))],
    // Each operator has its own: they are read when the operator is known.
    limits: () => ({}),
    webhookProof: requireSignatures ? 'SIGNED' : 'NONE',
    partialRefunds: true,
  };
}

async function initiate(
  account: PawaPayAccount,
  configuration: ActiveConfiguration,
  attempt: AttemptToInitiate,
): Promise<Initiated> {
  refuseWhatWeCannot(account, attempt);
  return attempt.presentation === 'PHONE'
    ? initiateOnPhone(account, configuration, attempt)
    : initiateOnPage(account, attempt);
}

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function refuseWhatWeCannot(account: PawaPayAccount, attempt: AttemptToInitiate): void {
  const refuse = (code: string, message: string) => {
    throw failure(account, 'rejected', code, message);
  };
  if (attempt.method !== 'MOBILE_MONEY' || attempt.presentation === 'EMBEDDED') {
    refuse('WAY_NOT_SUPPORTED', 'it takes mobile money on a phone or on its own page, and nothing else.');
  }
  if (attempt.captureMethod === 'MANUAL') {
    refuse('CAPTURE_NOT_SUPPORTED', 'it takes money at once, and can’t hold it.');
  }
  if (!UUID_V4.test(attempt.idempotencyKey)) {
    refuse('KEY_NOT_UUID', 'it takes the attempt’s key for its own id, which must be a UUIDv4.');
  }
}
