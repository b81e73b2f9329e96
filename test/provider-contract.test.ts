import { createHmac } from 'node:crypto';
import Stripe from 'stripe';
import { createBankProvider } from '../src/providers/bank/bank-provider.js';
import type { Presentation } from '../src/providers/provider.js';
import { createStripeProvider } from '../src/providers/stripe/stripe-provider.js';
import { startBankDouble } from '../src/sandbox/bank/bank-double.js';
import type { Fault } from '../src/sandbox/stripe/faults.js';
import { startStripeDouble, type StripeDouble } from '../src/sandbox/stripe/stripe-double.js';
import { keepsTheProviderContract, type ProviderUnderContract } from './provider-contract.js';
import { startWebhookReceiver } from './webhook-receiver.js';

/** For doubles on this machine; the tests of those that hang wait for it. */
const TIMEOUT_MILLISECONDS = 300;

const bank: ProviderUnderContract = {
  name: 'a bank',
  way: { method: 'BANK', presentation: 'REDIRECT' },
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
      sign: (body) => signLikeTheBank(body, webhookSecret),
      paymentsMade: () => Promise.resolve(double.counts().payments),
      hangOnInitiate: (when) =>
        double.answerNext('createPayment', { kind: 'hang', afterDoing: when === 'AFTER_DOING' }),
      refundsMade: () => Promise.resolve(double.counts().refunds),
      hangOnRefund: (when) =>
        double.answerNext('createRefund', { kind: 'hang', afterDoing: when === 'AFTER_DOING' }),
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

/** What Stripe makes of an attempt depends on where the payer pays. */
const STRIPE_RESOURCES: Record<Presentation, { readonly path: string; readonly create: string }> = {
  EMBEDDED: { path: 'v1/payment_intents', create: 'payment_intents.create' },
  REDIRECT: { path: 'v1/checkout/sessions', create: 'checkout.sessions.create' },
};

const STRIPE_SECRETS = { secretKey: 'sk_test_contract', publishableKey: 'pk_test_contract' };
const GOOD_CARD = '4242424242424242';
const DECLINED_CARD = '4000000000000002';
/** The SDK tries so often before it gives up. */
const STRIPE_TRIES = 3;

const stripe = (presentation: Presentation): ProviderUnderContract => ({
  name: `Stripe, ${presentation}`,
  way: { method: 'CARD', presentation },
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
      sign: (body) => ({
        'stripe-signature': Stripe.webhooks.generateTestHeaderString({
          payload: body.toString(),
          secret: webhookSecret,
        }),
      }),
      paymentsMade: () => countObjects(double, path),
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

describe.each([bank, stripe('EMBEDDED'), stripe('REDIRECT')])(
  '$name keeps the contract of providers:',
  (row) => keepsTheProviderContract(row),
);
