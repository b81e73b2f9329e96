import { createHash, createHmac } from 'node:crypto';
import Stripe from 'stripe';
import { createBankProvider } from '../src/providers/bank/bank-provider.js';
import { createPawaPayProvider } from '../src/providers/pawapay/pawapay-provider.js';
import { createPayDunyaProvider } from '../src/providers/paydunya/paydunya-provider.js';
import { createStripeProvider } from '../src/providers/stripe/stripe-provider.js';
import { startBankDouble } from '../src/sandbox/bank/bank-double.js';
import type { HttpFault } from '../src/sandbox/http-fault.js';
import { FORGED_SIGNATURES } from '../src/sandbox/pawapay/callback-signature.js';
import { startPawaPayDouble, type PawaPayDouble } from '../src/sandbox/pawapay/pawapay-double.js';
import { startPayDunyaDouble } from '../src/sandbox/paydunya/paydunya-double.js';
import type { Fault } from '../src/sandbox/stripe/faults.js';
import { startStripeDouble, type StripeDouble } from '../src/sandbox/stripe/stripe-double.js';
import {
  keepsTheProviderContract,
  type AmountToPay,
  type ProviderUnderContract,
} from './provider-contract.js';
import { startWebhookReceiver } from './webhook-receiver.js';
import { GOOD_CARD } from './support/ways-to-pay.js';

/** For doubles on this machine; the tests of those that hang wait for it. */
const TIMEOUT_MILLISECONDS = 1_000;

type Moment = 'BEFORE_DOING' | 'AFTER_DOING';

const hang = (when: Moment): HttpFault => ({ kind: 'hang', afterDoing: when === 'AFTER_DOING' });

/** What says nothing, wherever it comes from. */
const NONSENSE = ['hello', '[]', 'null', '{}'];

/** TND has thousandths, of which some providers take tens only. */
const ANY_AMOUNTS: readonly AmountToPay[] = [
  { currency: 'XOF', amount: 15_000 },
  { currency: 'EUR', amount: 10_99 },
  { currency: 'JPY', amount: 5_000 },
  { currency: 'TND', amount: 12_340 },
  { currency: 'EUR', amount: 999_999_99 },
];

const bank: ProviderUnderContract = {
  name: 'a bank',
  way: { method: 'BANK', presentation: 'REDIRECT' },
  amounts: ANY_AMOUNTS,
  async start() {
    const receiver = await startWebhookReceiver();
    const [apiKey, webhookSecret] = ['bank_key_1', 'bank_secret_1'];
    const double = await startBankDouble({
      name: 'bank-x',
      displayName: 'Bank X',
      apiKey,
      webhookSecret,
      webhookUrl: () => receiver.url.href,
    });
    const provider = createBankProvider({
      name: double.name,
      baseUrl: double.url,
      apiKey,
      webhookSecrets: [webhookSecret],
      timeoutMilliseconds: TIMEOUT_MILLISECONDS,
    });
    return {
      provider,
      webhooks: receiver.received,
      async pay({ providerReference }) {
        double.pay(providerReference);
        await double.settled();
      },
      async decline({ providerReference }) {
        double.decline(providerReference);
        await double.settled();
      },
      settled: () => double.settled(),
      nonsense: () =>
        NONSENSE.map((text) => {
          const rawBody = Buffer.from(text);
          return { rawBody, headers: signLikeTheBank(rawBody, webhookSecret) };
        }),
      paymentsMade: () => Promise.resolve(double.counts().payments),
      chargesMade: () => Promise.resolve(sum(Object.values(double.counts().chargesByReference))),
      hangOnInitiate: (when) => double.answerNext('createPayment', hang(when)),
      refundsMade: () => Promise.resolve(double.counts().refunds),
      hangOnRefund: (when) => double.answerNext('createRefund', hang(when)),
      goDown: () => double.stop(),
      async stop() {
        await double.stop();
        await receiver.stop();
      },
    };
  },
};

function signLikeTheBank(body: Buffer, secret: string) {
  const timestamp = Math.floor(Date.now() / 1000);
  const signature = createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest('hex');
  return { 'x-signature': `t=${timestamp},v1=${signature}` };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

/** What Stripe makes of an attempt depends on where the payer pays. */
const STRIPE_RESOURCES: Record<'EMBEDDED' | 'REDIRECT', { readonly path: string; readonly create: string }> =
  {
    EMBEDDED: { path: 'v1/payment_intents', create: 'payment_intents.create' },
    REDIRECT: { path: 'v1/checkout/sessions', create: 'checkout.sessions.create' },
  };

const STRIPE_SECRETS = { secretKey: 'sk_test_contract', publishableKey: 'pk_test_contract' };
const DECLINED_CARD = '4000000000000002';
/** The SDK tries so often before it gives up. */
const STRIPE_TRIES = 3;

const stripe = (presentation: 'EMBEDDED' | 'REDIRECT'): ProviderUnderContract => ({
  name: `Stripe, ${presentation}`,
  way: { method: 'CARD', presentation },
  amounts: ANY_AMOUNTS,
  async start() {
    const receiver = await startWebhookReceiver();
    const webhookSecret = 'whsec_contract';
    const double = await startStripeDouble({
      ...STRIPE_SECRETS,
      webhookSecret,
      webhookUrl: () => receiver.url.href,
    });
    const provider = createStripeProvider({
      ...STRIPE_SECRETS,
      webhookSecrets: [webhookSecret],
      apiBase: double.url,
      timeoutMilliseconds: TIMEOUT_MILLISECONDS,
    });
    const { path, create } = STRIPE_RESOURCES[presentation];
    return {
      provider,
      webhooks: receiver.received,
      async pay({ providerReference }) {
        double.pay(providerReference, GOOD_CARD);
        await double.settled();
      },
      async decline({ providerReference }) {
        double.pay(providerReference, DECLINED_CARD);
        await double.settled();
      },
      settled: () => double.settled(),
      nonsense: () =>
        NONSENSE.map((payload) => {
          const signature = Stripe.webhooks.generateTestHeaderString({ payload, secret: webhookSecret });
          return { rawBody: Buffer.from(payload), headers: { 'stripe-signature': signature } };
        }),
      paymentsMade: () => countObjects(double, path),
      chargesMade: () =>
        Promise.resolve(double.charges().filter(({ status }) => status === 'succeeded').length),
      hangOnInitiate: (when) => double.answerNext(create, silence(when)),
      refundsMade: () => {
        const { succeeded, pending } = double.counts().refunds;
        return Promise.resolve(succeeded + pending);
      },
      hangOnRefund: (when) => double.answerNext('refunds.create', silence(when)),
      goDown: () => double.stop(),
      async stop() {
        await double.stop();
        await receiver.stop();
      },
    };
  },
});

function silence(when: 'BEFORE_DOING' | 'AFTER_DOING'): Fault {
  return {
    answer: { kind: 'hang' },
    when: when === 'AFTER_DOING' ? 'AFTER_WORK' : 'BEFORE_WORK',
    times: STRIPE_TRIES,
  };
}

async function countObjects(double: StripeDouble, path: string): Promise<number> {
  const answer = await fetch(new URL(`${path}?limit=100`, double.url), {
    headers: { authorization: `Bearer ${STRIPE_SECRETS.secretKey}` },
  });
  const { data } = (await answer.json()) as { data: unknown[] };
  return data.length;
}

const MTN_BENIN = { phoneNumber: '+2290151345755', country: 'BJ', operator: 'MTN_MOMO_BEN' };
const MPESA_CONGO = { phoneNumber: '+243811000000', country: 'CD', operator: 'VODACOM_MPESA_COD' };

/** Of MTN in Benin the smallest and the largest; and of a country that pays in a currency with cents. */
const PAWAPAY_AMOUNTS: readonly AmountToPay[] = [
  { currency: 'XOF', amount: 15_000 },
  { currency: 'XOF', amount: 1 },
  { currency: 'XOF', amount: 2_000_000 },
  { currency: 'USD', amount: 10_99, payer: MPESA_CONGO },
  { currency: 'CDF', amount: 28_000_50, payer: MPESA_CONGO },
];

interface PawaPayRow extends Pick<ProviderUnderContract, 'name' | 'way' | 'makesOnlyAPage'> {
  readonly isSigned: boolean;
  readonly opening: 'createDeposit' | 'createPaymentPage';
  /** What the payer does before there is something that they can approve. */
  begin(double: PawaPayDouble, depositId: string): void;
}

const pawapay = ({ isSigned, opening, begin, ...row }: PawaPayRow): ProviderUnderContract => ({
  ...row,
  payer: MTN_BENIN,
  amounts: PAWAPAY_AMOUNTS,
  async start() {
    const receiver = await startWebhookReceiver();
    const token = 'pawapay-token-1';
    const double = await startPawaPayDouble({
      token,
      webhookUrl: () => receiver.url.href,
      decisionMilliseconds: 5,
      ...(!isSigned && { signCallbacks: false }),
    });
    const provider = createPawaPayProvider({
      token,
      baseUrl: double.url,
      notificationUrl: receiver.url,
      requireSignatures: isSigned,
      timeoutMilliseconds: TIMEOUT_MILLISECONDS,
    });
    const decide = async (id: string, decision: 'approve' | 'decline') => {
      begin(double, id);
      double[decision](id);
      await double.settled();
    };
    return {
      provider,
      webhooks: receiver.received,
      pay: ({ providerReference }) => decide(providerReference, 'approve'),
      decline: ({ providerReference }) => decide(providerReference, 'decline'),
      settled: () => double.settled(),
      // The double alone can sign, and signs what it says; the reader is the same for both.
      nonsense: () => (isSigned ? [] : NONSENSE.map((text) => ({ rawBody: Buffer.from(text), headers: {} }))),
      async lies({ providerReference }) {
        const signatures = isSigned ? FORGED_SIGNATURES.filter((how) => how !== 'RIGHT') : ['NONE' as const];
        for (const signature of signatures) double.forge(providerReference, { signature });
        await double.settled();
        return receiver.received.slice(-signatures.length);
      },
      ...(opening === 'createDeposit' && { paymentsMade: () => Promise.resolve(double.counts().deposits) }),
      chargesMade: () => Promise.resolve(double.counts().completed),
      hangOnInitiate: (when) => double.answerNext(opening, hang(when)),
      refundsMade: () => Promise.resolve(double.counts().refunds),
      hangOnRefund: (when) => double.answerNext('createRefund', hang(when)),
      goDown: () => double.stop(),
      async stop() {
        await double.stop();
        await receiver.stop();
      },
    };
  },
});

const pawapayOnPhone = pawapay({
  name: 'PawaPay on the phone, signed',
  way: { method: 'MOBILE_MONEY', presentation: 'PHONE' },
  isSigned: true,
  opening: 'createDeposit',
  begin: () => undefined,
});

const pawapayOnPage = pawapay({
  name: 'PawaPay on its page, not signed',
  way: { method: 'MOBILE_MONEY', presentation: 'REDIRECT' },
  makesOnlyAPage: true,
  isSigned: false,
  opening: 'createPaymentPage',
  begin: (double, depositId) => double.submitPage(depositId),
});

const PAYDUNYA_KEYS = {
  masterKey: 'paydunya-master-1',
  privateKey: 'test_private_1',
  token: 'paydunya-token-1',
};

const paydunya = (
  row: Pick<ProviderUnderContract, 'name' | 'way' | 'payer' | 'makesOnlyAPage' | 'takesNoKey'>,
): ProviderUnderContract => ({
  ...row,
  amounts: [
    { currency: 'XOF', amount: 15_000 },
    { currency: 'XOF', amount: 100 },
    { currency: 'XOF', amount: 12_345_678 },
  ],
  async start() {
    const receiver = await startWebhookReceiver();
    const double = await startPayDunyaDouble({ ...PAYDUNYA_KEYS, webhookUrl: () => receiver.url.href });
    const provider = createPayDunyaProvider({
      ...PAYDUNYA_KEYS,
      mode: 'test',
      baseUrl: double.url,
      storeName: 'The shop of the contract',
      softPayInTest: true,
      timeoutMilliseconds: TIMEOUT_MILLISECONDS,
    });
    const isOnPhone = row.way.presentation === 'PHONE';
    return {
      provider,
      webhooks: receiver.received,
      async pay({ providerReference }) {
        if (isOnPhone) double.approve(providerReference);
        else double.pay(providerReference);
        await double.settled();
      },
      async decline({ providerReference }) {
        if (isOnPhone) double.decline(providerReference);
        else double.fail(providerReference);
        await double.settled();
      },
      settled: () => double.settled(),
      nonsense: () =>
        [{}, { status: 'completed' }, { invoice: [] }].map((said) => {
          const hash = createHash('sha512').update(PAYDUNYA_KEYS.masterKey).digest('hex');
          return { rawBody: Buffer.from(JSON.stringify({ data: { ...said, hash } })), headers: {} };
        }),
      async lies({ providerReference }) {
        const hashes = ['RIGHT', 'WRONG', 'MISSING'] as const;
        for (const hash of hashes) double.forge(providerReference, { hash });
        await double.settled();
        return receiver.received.slice(-hashes.length);
      },
      ...(isOnPhone && { paymentsMade: () => Promise.resolve(double.counts().invoices) }),
      chargesMade: () => Promise.resolve(double.counts().completed),
      hangOnInitiate: (when) => double.answerNext(isOnPhone ? 'softpay' : 'createInvoice', hang(when)),
      refundsMade: () => Promise.reject(new Error('PayDunya gives nothing back')),
      hangOnRefund: () => undefined,
      goDown: () => double.stop(),
      async stop() {
        await double.stop();
        await receiver.stop();
      },
    };
  },
});

const paydunyaOnPage = paydunya({
  name: 'PayDunya on its page',
  way: { method: 'MOBILE_MONEY', presentation: 'REDIRECT' },
  makesOnlyAPage: true,
  takesNoKey: true,
});

const paydunyaOnPhone = paydunya({
  name: 'PayDunya on the phone',
  way: { method: 'MOBILE_MONEY', presentation: 'PHONE' },
  payer: { phoneNumber: '+221761234567', country: 'SN', operator: 'free-money-senegal' },
});

const ROWS = [
  bank,
  stripe('EMBEDDED'),
  stripe('REDIRECT'),
  pawapayOnPhone,
  pawapayOnPage,
  paydunyaOnPage,
  paydunyaOnPhone,
];

describe.each(ROWS)('$name keeps the contract of providers:', (row) => keepsTheProviderContract(row));
