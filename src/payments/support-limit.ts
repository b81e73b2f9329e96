import type { EntityManager } from 'typeorm';
import { AccessError } from '../access/access-error.js';
import { run, statement } from '../database/statement.js';
import { formatMoney, type Currency } from '../money.js';
import type { Refund } from './refund.js';

/** How much the role of support may give back of one order in all, in minor units. None for a currency: nothing. */
export type SupportLimits = ReadonlyMap<Currency, number>;

/** Also of the order's other payments. What failed gave nothing back. */
const GIVEN_BACK = statement<{ amount: string }>(
  'given_back_by_support',
  `SELECT coalesce(sum(r.amount), 0) AS amount
   FROM refund r JOIN payment_intent i ON r.intent_id = i.id
   WHERE i.order_id = $1 AND r.by_support AND r.status <> 'FAILED' AND r.currency = $2`,
);

/**
 * @param refund not written yet. Whoever writes it on the order's version that was read before this knows that no other
 * refund of the order came in between.
 * @throws {AccessError} FORBIDDEN, where support would have given back more of this order than it may.
 */
export async function refuseBeyondSupportLimit(
  manager: EntityManager,
  limits: SupportLimits,
  orderId: string,
  { amount, currency }: Pick<Refund, 'amount' | 'currency'>,
): Promise<void> {
  const limit = limits.get(currency) ?? 0;
  const [given] = await run(manager, GIVEN_BACK, [orderId, currency]);
  const before = Number(given?.amount ?? 0);
  if (before + amount <= limit) return;
  const money = (minor: number) => formatMoney(minor, currency, 'en');
  throw new AccessError(
    'FORBIDDEN',
    limit === 0
      ? `The role "support" may give nothing back in ${currency}: the role "operator" may.`
      : `The role "support" may give back ${money(limit)} of an order in all, and has given back ${money(before)} of this one: ${money(amount)} more needs the role "operator".`,
  );
}
