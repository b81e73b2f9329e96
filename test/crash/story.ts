import { randomUUID } from 'node:crypto';
import { fromDecimal } from '../../src/money.js';
import { days } from '../support/bookings.js';
import { eventually } from '../support/eventually.js';
import { SECRET_KEY, type KillableServer } from '../support/killable-server.js';
import { CREATE_PAYMENT, RETURN_URL } from '../support/running-app.js';
import { ask, PersistentWatcher, type Change } from './persistent-client.js';
import type { Shop, Ware } from './shop.js';

/** One way to pay, and how it looks at its provider. */
export interface Way {
  readonly name: string;
  /** What is bought. */
  readonly ware: Ware;
  readonly createInput: object;
  readonly isManual?: true;
  /** Its provider gives nothing back. */
  readonly isFinal?: true;
  /** The payer does their part. */
  pay(server: KillableServer, payment: { readonly id: string; readonly nextAction: any }): void;
  /** What the provider's own books say of an attempt. */
  books(shop: Shop, attemptReference: string): Promise<ProviderBooks>;
}

/** Amounts are in minor units. */
export interface ProviderBooks {
  /** Successful ones. */
  readonly charges: readonly number[];
  readonly refunds: readonly number[];
}

const stripe = {
  ware: 'SOUVENIR',
  pay: ({ stripe }: KillableServer, { nextAction }: { readonly nextAction: any }) => {
    stripe.pay(nextAction.clientSecret, '4242424242424242');
  },
  books: async ({ server: { stripe } }: Shop, attemptReference: string) => {
    const charges = stripe.chargesFor(attemptReference).filter(({ status }) => status === 'succeeded');
    const refunds = await Promise.all(charges.map(({ id }) => refundsAtStripe(stripe, id)));
    return { charges: charges.map(({ amount }) => amount), refunds: refunds.flat() };
  },
} as const;

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
  ...stripe,
};

export const HELD_CARD: Way = {
  name: 'Stripe, a card whose money is held and then captured',
  createInput: { method: 'CARD', presentation: 'EMBEDDED', captureMethod: 'MANUAL' },
  isManual: true,
  ...stripe,
  ware: 'PARKING',
};

export const BANK: Way = {
  name: 'a bank',
  ware: 'PARKING',
  createInput: { method: 'BANK', returnUrl: RETURN_URL },
  pay: ({ bank }, { id }) => bank.pay(`${id}-1`),
  books: ({ server: { bank } }, attemptReference) => {
    const payment = bank.payment(attemptReference) as BankPayment;
    const times = bank.counts().chargesByReference[attemptReference] ?? 0;
    return Promise.resolve({
      charges: repeat(fromDecimal(payment.paid_amount, 'EUR'), times),
      refunds: payment.refunds.map(({ amount }) => fromDecimal(amount, 'EUR')),
    });
  },
};

interface BankPayment {
  readonly paid_amount: string;
  readonly refunds: readonly { readonly amount: string }[];
}

export const PAWAPAY: Way = {
  name: 'PawaPay, on the phone',
  ware: 'CLOTH',
  createInput: {
    method: 'MOBILE_MONEY',
    provider: 'pawapay',
    presentation: 'PHONE',
    phoneNumber: '+229 01 51 34 57 55',
  },
  pay: ({ pawapay }, { id }) => pawapay.approve(`${id}-1`),
  async books({ server: { pawapay }, database, products }, attemptReference) {
    const { chargesByReference, refundedByReference } = pawapay.counts();
    const ids = await refundKeysOf(database, attemptReference);
    const refunds = ids.map((id) => Number((pawapay.refund(id) as Refund).amount));
    const given = refundedByReference[attemptReference] ?? 0;
    // What was given back without an order of ours.
    const rest = refunds.reduce((left, amount) => left - amount, given);
    return {
      charges: repeat(products.CLOTH.unitAmount, chargesByReference[attemptReference]),
      refunds: rest === 0 ? refunds : [...refunds, rest],
    };
  },
};

interface Refund {
  /** Francs, with decimals all the same. */
  readonly amount: string;
}

/** By which PawaPay knows refunds. */
async function refundKeysOf(database: Shop['database'], attemptReference: string): Promise<string[]> {
  const rows = await database.query<{ key: string }[]>(
    `SELECT r.idempotency_key AS key FROM refund r JOIN payment_intent i ON i.id = r.intent_id
     WHERE i.reference || '-1' = $1 ORDER BY r.id`,
    [attemptReference],
  );
  return rows.map(({ key }) => key);
}

const paydunya = {
  ware: 'CLOTH',
  isFinal: true,
  books: ({ server, products }: Shop, attemptReference: string) => {
    const { completedByAttempt } = server.paydunya.counts();
    const charges = repeat(products.CLOTH.unitAmount, completedByAttempt[attemptReference]);
    return Promise.resolve({ charges, refunds: [] });
  },
} as const;

export const PAYDUNYA_PAGE: Way = {
  name: 'PayDunya, on its page',
  createInput: { method: 'MOBILE_MONEY', provider: 'paydunya', returnUrl: RETURN_URL },
  // On the page that they were shown, whatever other invoices there are.
  pay: (server, { nextAction }) => server.paydunya.pay(new URL(nextAction.url).pathname.split('/').at(-1)!),
  ...paydunya,
};

export const PAYDUNYA_PHONE: Way = {
  name: 'PayDunya, on the phone',
  createInput: {
    method: 'MOBILE_MONEY',
    provider: 'paydunya',
    presentation: 'PHONE',
    phoneNumber: '+221 76 123 45 67',
    operator: 'free-money-senegal',
  },
  // Whatever their phone asks, of whichever invoice. Of one that is paid, it asks no more.
  pay({ paydunya: double }, { id }) {
    const asking = new Set(double.prompts().map(({ token }) => token));
    for (const token of asking) if (isOf(double.invoice(token), id)) double.approve(token);
  },
  ...paydunya,
};

function isOf(invoice: object, id: string): boolean {
  const { custom_data: marks } = invoice as { custom_data?: { attempt?: string } };
  return marks?.attempt === `${id}-1`;
}

function repeat(amount: number, times = 0): number[] {
  return Array.from({ length: times }, () => amount);
}

/** What is left of a story that was told: enough to find it again. */
export interface Told {
  readonly run: string;
  readonly orderId: string;
  readonly paymentId: string;
  /** What the payer, who watched all the while, was told of their payment. */
  readonly heard: readonly Change[];
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
export async function tellStory({ server, apiKey, products }: Shop, way: Way): Promise<Told> {
  const run = randomUUID();
  const { order, orderToken } = await ask(
    server,
    CREATE_ORDER,
    {
      input: {
        lines: [{ sku: products[way.ware].sku, quantity: 1 }],
        booking: products[way.ware].dailyCapacity === null ? null : days(1, 3),
        customer: { email: 'a.diop@example.com' },
        metadata: { run },
        idempotencyKey: randomUUID(),
      },
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
      await ask(server, CAPTURE, { input: { paymentIntentId: id, idempotencyKey: randomUUID() } }, apiKey);
    }
    await watcher.until('PAID');
    if (!way.isFinal) {
      await refund(server, apiKey, { paymentIntentId: id, amount: FIRST_REFUND });
      await watcher.until('PARTIALLY_REFUNDED');
      await refund(server, apiKey, { paymentIntentId: id });
      await watcher.until('REFUNDED');
    }
    return { run, orderId: order.id, paymentId: id, heard: watcher.heard };
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
