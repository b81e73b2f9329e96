import { randomUUID } from 'node:crypto';
import { newCustomer } from '../customers.js';
import { refundPayment } from '../staff-calls.js';
import { subscribeTo } from '../subscriptions.js';
import { BANK_DEBIT, GOOD_CARD } from '../ways-to-pay.js';
import { disputeCharge } from './disputes.js';
import { operatorDecides } from './misfits.js';
import { ask, isSoon, tryAt, type Scene } from './scene.js';

/** Of two issues each month. */
const PRICE = 1_380;

/** How the first invoice of a subscription is settled, or isn't. @param sub Stripe's id of the subscription. */
type InvoicesStory = (scene: Scene, sub: string) => unknown;

/** Somebody subscribes; the invoice is settled in one way or another; the shop or the payer's bank thinks again. */
export async function subscribes(scene: Scene): Promise<void> {
  const { app, choice } = scene;
  const customer = await newCustomer(app);
  const input = { lines: [{ sku: scene.magazine, quantity: 2 }], idempotencyKey: randomUUID() };
  const answer = await ask(scene, 'createRecurringSubscription', () => subscribeTo(app, customer, input));
  if (answer.errors) return;
  const { id } = answer.data.createRecurringSubscription.subscription;
  const begun = await begunAt(scene, id);
  if (!begun) return;
  const settle = choice.of(INVOICES);
  tryAt(() => settle(scene, begun.sub));
  const payment = await paymentOf(scene, id);
  if (!payment) return;
  if (!(await isSoon(scene, payment.id, ['PAID', 'PARTIALLY_REFUNDED', 'REVIEW']))) return;
  if (await isSoon(scene, payment.id, ['REVIEW'], 0)) await operatorDecides(scene, payment);
  else await choice.of(LATER)(scene, payment, begun.sub);
}

async function begunAt({ app }: Scene, id: string): Promise<{ sub: string } | undefined> {
  const [row] = await app.dataSource.query<{ sub: string | null }[]>(
    'SELECT provider_reference AS sub FROM recurring_subscription WHERE reference = $1',
    [id],
  );
  return row?.sub ? { sub: row.sub } : undefined;
}

async function paymentOf({ app }: Scene, id: string): Promise<{ id: string } | undefined> {
  const [row] = await app.dataSource.query<{ id: string }[]>(
    `SELECT i.reference AS id FROM payment_intent i JOIN orders o ON o.id = i.order_id
     JOIN recurring_subscription s ON s.id = o.recurring_subscription_id WHERE s.reference = $1`,
    [id],
  );
  return row;
}

const paidInParts: InvoicesStory = ({ app, choice }, sub) => {
  const first = choice.integer(1, PRICE - 2);
  const second = choice.integer(1, PRICE - first - 1);
  for (const part of [first, second, PRICE - first - second])
    app.stripe.payPartOfInvoice(sub, part, GOOD_CARD);
};

const debitedAndPaidInCash: InvoicesStory = ({ app }, sub) => {
  const { paymentIntentId } = app.stripe.payInvoice(sub, BANK_DEBIT);
  app.stripe.payInvoiceOutside(sub);
  app.stripe.settle(paymentIntentId, 'succeed');
};

const INVOICES: readonly (readonly [weight: number, story: InvoicesStory])[] = [
  [4, ({ app }, sub) => app.stripe.payInvoice(sub, GOOD_CARD)],
  [5, paidInParts],
  [
    2,
    ({ app }, sub) => {
      app.stripe.payPartOfInvoice(sub, 600, GOOD_CARD);
      app.stripe.payInvoiceOutside(sub, PRICE - 600);
    },
  ],
  [
    3,
    ({ app }, sub) => {
      app.stripe.creditInvoice(sub, 200);
      app.stripe.payInvoice(sub, GOOD_CARD);
    },
  ],
  [
    2,
    ({ app }, sub) => {
      app.stripe.payPartOfInvoice(sub, 600, GOOD_CARD);
      app.stripe.creditInvoice(sub, PRICE - 600);
    },
  ],
  [2, ({ app }, sub) => app.stripe.creditInvoice(sub, PRICE)],
  [2, ({ app }, sub) => app.stripe.payInvoiceOutside(sub)],
  [
    2,
    ({ app }, sub) => {
      app.stripe.payInvoiceOutside(sub, 380);
      app.stripe.payInvoice(sub, GOOD_CARD);
    },
  ],
  [2, ({ app }, sub) => app.stripe.payInvoiceByCharge(sub)],
  [
    3,
    ({ app }, sub) => {
      app.stripe.payPartOfInvoice(sub, 600, GOOD_CARD);
      app.stripe.voidInvoice(sub);
    },
  ],
  [1, debitedAndPaidInCash],
  [1, () => undefined],
];

type LaterStory = (scene: Scene, payment: { readonly id: string }, sub: string) => Promise<unknown>;

const refund = (scene: Scene, payment: { readonly id: string }, input: object = {}) =>
  ask(scene, 'refundPayment', () => refundPayment(scene.app, payment, input));

const chargesOf = ({ app }: Scene, sub: string) =>
  app.stripe
    .chargesFor(sub)
    .filter(({ status, amountCaptured }) => status === 'succeeded' && amountCaptured > 0);

const LATER: readonly (readonly [weight: number, story: LaterStory])[] = [
  [4, () => Promise.resolve()],
  [2, (scene, payment) => refund(scene, payment)],
  [2, (scene, payment) => refund(scene, payment, { amount: scene.choice.integer(1, 600) })],
  [
    2,
    async (scene, payment, sub) => {
      const [first] = chargesOf(scene, sub);
      if (first) tryAt(() => scene.app.stripe.refundInDashboard(first.paymentIntentId));
      await refund(scene, payment);
    },
  ],
  [
    3,
    ({ app, choice }, _, sub) => {
      const by = choice.of([
        [1, 'REFUND'],
        [1, 'BALANCE'],
        [1, 'OUTSIDE'],
      ] as const);
      tryAt(() => app.stripe.creditInvoice(sub, choice.integer(1, 300), by));
      return Promise.resolve();
    },
  ],
  [
    3,
    async (scene, payment, sub) => {
      const charge = chargesOf(scene, sub).at(-1);
      if (charge) await disputeCharge(scene, payment, charge);
    },
  ],
];
