import { randomUUID } from 'node:crypto';
import { fromDecimal } from '../../src/money.js';
import { eventually } from '../support/eventually.js';
import { SECRET_KEY, type KillableServer } from '../support/killable-server.js';
import { CREATE_PAYMENT, RETURN_URL } from '../support/running-app.js';
import { ask, PersistentWatcher } from './persistent-client.js';
import type { Shop } from './shop.js';

/** One way to pay, and how it looks at its provider. */
export interface Way {
  readonly name: string;
  readonly createInput: object;
  readonly isManual: boolean;
  /** The payer does their part. */
  pay(server: KillableServer, payment: { readonly id: string; readonly nextAction: any }): void;
  /** What the provider's own books say of an attempt. */
  books(server: KillableServer, attemptReference: string): Promise<ProviderBooks>;
}

/** Amounts are in minor units. */
export interface ProviderBooks {
  /** Successful ones. */
  readonly charges: readonly number[];
  readonly refunds: readonly number[];
}

const stripe = {
  pay: ({ stripe }: KillableServer, { nextAction }: { readonly nextAction: any }) => {
    stripe.pay(nextAction.clientSecret, '4242424242424242');
  },
  books: async ({ stripe }: KillableServer, attemptReference: string) => {
    const charges = stripe.chargesFor(attemptReference).filter(({ status }) => status === 'succeeded');
    const refunds = await Promise.all(charges.map(({ id }) => refundsAtStripe(stripe, id)));
    return { charges: charges.map(({ amount }) => amount), refunds: refunds.flat() };
  },
};

async function refundsAtStripe({ url }: KillableServer['stripe'], charge: string): Promise<number[]> {
  const headers = { authorization: `Bearer ${SECRET_KEY}` };
  const response = await fetch(new URL(`/v1/refunds?charge=${charge}`, url), { headers });
  const { data } = (await response.json()) as { data: { amount: number }[] };
  // The latest comes first.
  return data.map(({ amount }) => amount).reverse();
}

export const CARD: Way = {
  name: 'Stripe, a card in the shop’s own page',
  createInput: { method: 'CARD', presentation: 'EMBEDDED' },
  isManual: false,
  ...stripe,
};

export const HELD_CARD: Way = {
  name: 'Stripe, a card whose money is held and then captured',
  createInput: { method: 'CARD', presentation: 'EMBEDDED', captureMethod: 'MANUAL' },
  isManual: true,
  ...stripe,
};

export const BANK: Way = {
  name: 'a bank',
  createInput: { method: 'BANK', returnUrl: RETURN_URL },
  isManual: false,
  pay: ({ bank }, { id }) => bank.pay(`${id}-1`),
  books: ({ bank }, attemptReference) => {
    const payment = bank.payment(attemptReference) as BankPayment;
    const times = bank.counts().chargesByReference[attemptReference] ?? 0;
    return Promise.resolve({
      charges: Array.from({ length: times }, () => fromDecimal(payment.paid_amount, 'EUR')),
      refunds: payment.refunds.map(({ amount }) => fromDecimal(amount, 'EUR')),
    });
  },
};

interface BankPayment {
  readonly paid_amount: string;
  readonly refunds: readonly { readonly amount: string }[];
}

/** What is left of a story that was told: enough to find it again. */
export interface Told {
  readonly run: string;
  readonly paymentId: string;
  readonly heard: readonly number[];
}

const CREATE_ORDER =
  'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { order { id } orderToken } }';
const CAPTURE =
  'mutation ($input: CapturePaymentIntentInput!) { capturePaymentIntent(input: $input) { id status } }';
const REFUND = 'mutation ($input: RefundPaymentInput!) { refundPayment(input: $input) { id amount status } }';

/** Less than the price, so that a rest is left. */
export const FIRST_REFUND = 400;

/**
 * A payment from the order to the last cent given back. Every request is repeated until it is answered, with the key that
 * it had; and all the while, a payer watches.
 */
export async function tellStory({ server, apiKey, product }: Shop, way: Way): Promise<Told> {
  const run = randomUUID();
  const { order, orderToken } = await ask(
    server,
    CREATE_ORDER,
    {
      input: { lines: [{ sku: product.sku, quantity: 1 }], metadata: { run }, idempotencyKey: randomUUID() },
    },
    apiKey,
  );
  const input = { orderId: order.id, ...way.createInput, idempotencyKey: randomUUID() };
  const { id, nextAction } = await open(server, input, way.isManual ? apiKey : orderToken);
  const watcher = new PersistentWatcher(server, id, orderToken);
  try {
    way.pay(server, { id, nextAction });
    if (way.isManual) {
      await watcher.until('AUTHORIZED');
      await ask(server, CAPTURE, { input: { paymentIntentId: id } }, apiKey);
    }
    await watcher.until('PAID');
    await refund(server, apiKey, { paymentIntentId: id, amount: FIRST_REFUND });
    await watcher.until('PARTIALLY_REFUNDED');
    await refund(server, apiKey, { paymentIntentId: id });
    await watcher.until('REFUNDED');
    return { run, paymentId: id, heard: watcher.heard.map(({ version }) => version) };
  } finally {
    await watcher.close();
  }
}

/** As long as nobody knows what the provider did, the same request is made again. */
function open(
  server: KillableServer,
  input: object,
  token: string,
): Promise<{ id: string; nextAction: any }> {
  return eventually(
    async () => {
      const { paymentIntent, nextAction } = await ask(server, CREATE_PAYMENT, { input }, token);
      return { id: paymentIntent.id as string, nextAction };
    },
    ({ nextAction }) => nextAction !== null,
    60_000,
  );
}

function refund(server: KillableServer, apiKey: string, input: object): Promise<unknown> {
  return ask(server, REFUND, { input: { ...input, idempotencyKey: randomUUID() } }, apiKey);
}
