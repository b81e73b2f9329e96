import type { Currency } from '../../money.js';
import type { WebhookCounts } from '../webhook-sender.js';
import type { Deposit } from './deposit-ledger.js';
import type { PawaPayOperation } from './faults.js';
import type { PawaPayApi } from './pawapay-api.js';
import { givenBack } from './refund-ledger.js';

/** What the double has seen and done. A deposit's reference is its `clientReferenceId`, or its id where it has none. */
export interface PawaPayCounts {
  readonly requests: Readonly<Record<PawaPayOperation, number>>;
  /** Accepted in all. */
  readonly deposits: number;
  /** Of them, those that took money. */
  readonly completed: number;
  readonly depositsByReference: Readonly<Record<string, number>>;
  /** How often money was taken. */
  readonly chargesByReference: Readonly<Record<string, number>>;
  /** Made in all, by whomever, those that failed left out. */
  readonly refunds: number;
  /** Minor units that were given back, where any were. */
  readonly refundedByReference: Readonly<Record<string, number>>;
  /** Minor units. */
  readonly taken: Readonly<Partial<Record<Currency, number>>>;
  readonly givenBack: Readonly<Partial<Record<Currency, number>>>;
  readonly webhooks: WebhookCounts;
}

export function countsOf({ deposits, refunds, callbacks, requests }: PawaPayApi): PawaPayCounts {
  const all = deposits.all();
  return {
    requests: { ...requests },
    ...deposits.counts,
    depositsByReference: sumByReference(all, () => 1),
    chargesByReference: sumByReference(all, ({ status }) => (status === 'COMPLETED' ? 1 : 0)),
    ...refunds.counts,
    refundedByReference: sumByReference(
      all.filter((deposit) => givenBack(deposit) > 0),
      givenBack,
    ),
    webhooks: callbacks.counts,
  };
}

function sumByReference(
  deposits: readonly Deposit[],
  count: (deposit: Deposit) => number,
): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const deposit of deposits) {
    const reference = deposit.clientReferenceId ?? deposit.id;
    sums[reference] = (sums[reference] ?? 0) + count(deposit);
  }
  return sums;
}
