import { randomUUID } from 'node:crypto';
import { eventually } from '../support/eventually.js';
import { expectInvariants } from '../support/invariants.js';
import { CREATE_PAYMENT } from '../support/running-app.js';
import { GOOD_CARD } from '../support/ways-to-pay.js';
import { isOfTelling, whatWasTold } from './everyone-is-told.js';
import type { Tale } from './kill-at-every-point.js';
import { ask, PersistentWatcher, type Change } from './persistent-client.js';
import type { Shop } from './shop.js';

const PRICE = 1_500;
/** What the payer's bank returns at first. */
const PART = 400;
const PATIENCE_MILLISECONDS = 30_000;
const FEWEST_POINTS = 20;

/** To ask changes nothing, and when a job looks at its payments is up to chance. */
const LEFT_TO_CHANCE = /^GET |next_check_at/;

/** Paid by card, disputed, lost but for a part, appealed, and won. */
export const DISPUTE: Tale = {
  name: 'Stripe, a dispute',
  fewestPoints: FEWEST_POINTS,
  leavesOut: (point) => isOfTelling(point) || LEFT_TO_CHANCE.test(point.label),
  async tellAndCheck(shop) {
    const told = await tell(shop);
    await shop.server.settled();
    await expectTheEnd(shop, told);
  },
};

interface Told {
  readonly orderId: string;
  readonly paymentId: string;
  readonly stripeId: string;
  readonly heard: readonly Change[];
}

const CREATE_ORDER =
  'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { order { id } orderToken } }';

async function tell({ server, apiKey, products }: Shop): Promise<Told> {
  const lines = [{ sku: products.SOUVENIR.sku, quantity: 1 }];
  const { order, orderToken } = await ask(
    server,
    CREATE_ORDER,
    { input: { lines, customer: { email: 'a.diop@example.com' }, idempotencyKey: randomUUID() } },
    apiKey,
  );
  const input = {
    ...{ orderId: order.id, method: 'CARD', presentation: 'EMBEDDED' },
    idempotencyKey: randomUUID(),
  };
  const { paymentIntent, nextAction } = await eventually(
    () => ask(server, CREATE_PAYMENT, { input }, orderToken),
    ({ nextAction: next }) => next !== null,
    PATIENCE_MILLISECONDS,
  );
  const watcher = new PersistentWatcher(server, paymentIntent.id, orderToken);
  try {
    const { paymentIntentId } = server.stripe.pay(nextAction.clientSecret, GOOD_CARD);
    await watcher.until('PAID');
    const { id } = server.stripe.openDispute(paymentIntentId);
    await watcher.until('DISPUTED');
    server.stripe.closeDispute(id, 'lost', PART);
    await watcher.until('CHARGED_BACK');
    server.stripe.appealDispute(id);
    await watcher.until('DISPUTED');
    server.stripe.closeDispute(id, 'won');
    await watcher.until('PAID');
    const { heard } = watcher;
    return { orderId: order.id, paymentId: paymentIntent.id, stripeId: paymentIntentId, heard };
  } finally {
    await watcher.close();
  }
}

const BOOKS = `
  SELECT i.status, i.version, o.status AS "orderStatus", i.captured_amount AS captured,
    i.refunded_amount AS refunded, i.disputed_amount AS disputed,
    (SELECT jsonb_agg(status) FROM dispute WHERE intent_id = i.id) AS disputes,
    (SELECT jsonb_agg(concat_ws(' ', kind, amount, provider_reference) ORDER BY concat_ws(' ', kind, amount, provider_reference) COLLATE "C")
     FROM movement WHERE intent_id = i.id) AS movements,
    (SELECT count(*)::integer FROM outbox_event WHERE told_at IS NULL) AS untold,
    (SELECT count(*)::integer FROM webhook_event WHERE status IN ('WAITING', 'PARKED')) AS unread
  FROM payment_intent i JOIN orders o ON o.id = i.order_id WHERE i.reference = $1`;

/** Each movement is Stripe's own, once; each step was told, once. */
async function expectTheEnd(shop: Shop, told: Told): Promise<void> {
  const { server, database, products } = shop;
  await eventually(
    async () => {
      const [books] = await database.query<Record<string, any>[]>(BOOKS, [told.paymentId]);
      const { webhooks, unsent } = await whatWasTold(shop, told.orderId, told.paymentId);
      expect({ ...books, unsent, versionsTold: webhooks.map((step) => Number(step.split(' ')[0])) }).toEqual({
        ...{ status: 'PAID', orderStatus: 'CONFIRMED', disputes: ['WON'] },
        ...{ captured: PRICE, refunded: 0, disputed: 0 },
        ...{ untold: 0, unread: 0, unsent: 0 },
        version: told.heard.at(-1)!.version,
        versionsTold: told.heard.map(({ version }) => version),
        movements: atStripe(shop, told.stripeId),
      });
      expect(books!.movements).toHaveLength(4);
    },
    undefined,
    PATIENCE_MILLISECONDS,
  );
  await server.settled();
  await expectInvariants(database, [products.SOUVENIR]);
}

function atStripe({ server }: Shop, stripeId: string): string[] {
  return server.stripe
    .movements()
    .filter(({ payment }) => payment === stripeId)
    .map(({ kind, amount, reference }) => `${kind} ${amount} ${reference}`)
    .sort();
}
