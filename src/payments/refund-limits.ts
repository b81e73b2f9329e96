import type { EntityManager } from 'typeorm';
import { AccessError } from '../access/access-error.js';
import type { Caller } from '../access/caller.js';
import { hasRole } from '../access/operator-roles.js';
import { run, statement } from '../database/statement.js';
import { formatMoney, type Currency } from '../money.js';
import type { Refund, RefundAuthority } from './refund.js';

/** How much of one order may be given back in all by the word of some, in minor units. */
export interface RefundLimits {
  /** By operators in the role of support. A currency that is not named: nothing. */
  readonly support: ReadonlyMap<Currency, number>;
  /** By operators alone; more needs two people. A currency that is not named: without a limit. */
  readonly oneOperator: ReadonlyMap<Currency, number>;
}

/** By whose word the caller asks. */
export function authorityOf(caller: Caller): RefundAuthority {
  if (caller.kind !== 'operator') return 'BACKEND';
  return hasRole(caller.role, 'operator') ? 'OPERATOR' : 'SUPPORT';
}

/** Also of the order's other payments. What failed gave nothing back. */
const GIVEN_BACK = statement<{ amount: string }>(
  'given_back_by_authority',
  `SELECT coalesce(sum(r.amount), 0) AS amount
   FROM refund r JOIN payment_intent i ON r.intent_id = i.id
   WHERE i.order_id = $1 AND r.authority = $2 AND r.status <> 'FAILED' AND r.currency = $3`,
);

/**
 * @param refund not written yet. Whoever writes it on the order's version that was read before this knows that no other
 * refund of the order came in between.
 * @throws {AccessError} FORBIDDEN, where more of this order would have been given back than by this word it may.
 */
export async function refuseBeyondLimit(
  manager: EntityManager,
  limits: RefundLimits,
  orderId: string,
  { amount, currency, authority }: Pick<Refund, 'amount' | 'currency' | 'authority'>,
): Promise<void> {
  const limit = limitOf(limits, authority, currency);
  if (limit === null) return;
  const [given] = await run(manager, GIVEN_BACK, [orderId, authority, currency]);
  const before = Number(given?.amount ?? 0);
  if (before + amount <= limit) return;
  const whose = authority === 'SUPPORT' ? 'The role "support"' : 'One operator';
  const money = (minor: number) => formatMoney(minor, currency, 'en');
  throw new AccessError(
    'FORBIDDEN',
    limit === 0
      ? `${whose} may give nothing back in ${currency}: ask an operator with requestRefund.`
      : `${whose} may give back ${money(limit)} of an order in all, and has given back ${money(before)} of this one: ask another operator for ${money(amount)} more, with requestRefund.`,
  );
}

function limitOf(
  { support, oneOperator }: RefundLimits,
  authority: RefundAuthority | null,
  currency: Currency,
): number | null {
  if (authority === 'SUPPORT') return support.get(currency) ?? 0;
  return authority === 'OPERATOR' ? (oneOperator.get(currency) ?? null) : null;
}
