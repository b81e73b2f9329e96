import { isOfTelling, whatWasTold, withPlainSpaces } from './everyone-is-told.js';
import { toDecimal } from '../../src/money.js';
import { eventually } from '../support/eventually.js';
import { expectInvariants } from '../support/invariants.js';
import type { Tale } from './kill-at-every-point.js';
import type { Shop } from './shop.js';
import { FIRST_REFUND, tellStory, type Told, type Way } from './story.js';

const BOOKS = `
  SELECT
    (SELECT count(*)::integer FROM orders WHERE metadata->>'run' = $1) AS orders,
    o.status AS "orderStatus", i.status, i.version,
    (SELECT count(*)::integer FROM payment_intent WHERE order_id = o.id) AS payments,
    (SELECT count(*)::integer FROM payment_attempt WHERE intent_id = i.id) AS attempts,
    i.captured_amount AS captured, i.refunded_amount AS refunded,
    (SELECT jsonb_agg(jsonb_build_array(kind, amount) ORDER BY id) FROM movement WHERE intent_id = i.id) AS movements,
    (SELECT jsonb_agg(jsonb_build_array(status, amount) ORDER BY id) FROM refund WHERE intent_id = i.id) AS refunds,
    (SELECT status FROM booking WHERE order_id = o.id) AS booking,
    (SELECT count(*)::integer FROM outbox_event WHERE told_at IS NULL) AS untold,
    (SELECT count(*)::integer FROM webhook_event WHERE status IN ('WAITING', 'PARKED')) AS "unreadNotifications"
  FROM orders o JOIN payment_intent i ON i.order_id = o.id WHERE i.reference = $2`;

/** Waits until all is healed, and fails when it isn't in time: whatever happened on the way, the end is always this one. */
export async function expectFinalState(
  shop: Shop,
  way: Way,
  told: Told,
  patienceMilliseconds = 30_000,
): Promise<void> {
  const { unitAmount: price, currency, dailyCapacity } = shop.products[way.ware];
  const refunds = way.isFinal ? [] : [FIRST_REFUND, price - FIRST_REFUND];
  const format = new Intl.NumberFormat('en', { style: 'currency', currency });
  const write = (amount: number) => withPlainSpaces(format.format(Number(toDecimal(amount, currency))));
  await eventually(
    async () => {
      const [books] = await shop.database.query<Record<string, any>[]>(BOOKS, [told.run, told.paymentId]);
      const atProvider = await way.books(shop, `${told.paymentId}-1`);
      const everyone = await whatWasTold(shop, told.orderId, told.paymentId);
      expect({
        ...books,
        atProvider,
        versionsHeard: told.heard.map(({ version }) => version),
        everyone,
      }).toEqual({
        orders: 1,
        orderStatus: 'CONFIRMED',
        booking: dailyCapacity === null ? null : way.isFinal ? 'CONFIRMED' : 'CANCELLED',
        payments: 1,
        attempts: 1,
        status: way.isFinal ? 'PAID' : 'REFUNDED',
        captured: price,
        refunded: way.isFinal ? 0 : price,
        movements: [['CAPTURE', price], ...refunds.map((amount) => ['REFUND', amount])],
        refunds: way.isFinal ? null : refunds.map((amount) => ['SUCCEEDED', amount]),
        untold: 0,
        unreadNotifications: 0,
        version: books!.version,
        atProvider: { charges: [price], refunds },
        versionsHeard: Array.from({ length: books!.version }, (_, index) => index + 1),
        everyone: {
          mails: [
            'Order … is confirmed',
            ...refunds.map((amount) => `${write(amount)} of order … given back`),
          ].sort(),
          webhooks: told.heard.map(({ version, status }) => `${version} payment.${status.toLowerCase()}`),
          unsent: 0,
        },
      });
    },
    undefined,
    patienceMilliseconds,
  );
  const counted = Object.values(shop.products).filter(({ stock }) => stock !== null);
  await expectInvariants(shop.database, counted);
}

export async function tellAndCheck(shop: Shop, way: Way): Promise<void> {
  const told = await tellStory(shop, way);
  // Notifications that nobody waited for are part of it.
  await shop.server.settled();
  await expectFinalState(shop, way, told);
}

const FEWEST_POINTS = 16;
const FEWEST_POINTS_WITH_REFUNDS = 30;

/** How a payment is told of is the same whatever way it was made, and whatever is told of it. */
const ENOUGH_OF_TELLING = 2;

export function paymentBy(way: Way, { withTelling = false } = {}): Tale {
  return {
    name: way.name,
    fewestPoints: way.isFinal ? FEWEST_POINTS : FEWEST_POINTS_WITH_REFUNDS,
    leavesOut: (point) => isOfTelling(point) && !(withTelling && point.occurrence <= ENOUGH_OF_TELLING),
    tellAndCheck: (shop) => tellAndCheck(shop, way),
  };
}
