import { textAt, valueAt } from '../json-document.js';
import type { ProviderOutcome } from '../provider.js';
import { readMoney } from './pawapay-amount.js';
import { FAILED_WORDS, statusAt } from './pawapay-deposit.js';
import { reasonOfFailure } from './pawapay-failures.js';

export type RefundOutcome = Extract<ProviderOutcome, { kind: 'refund' }>;

/**
 * How a refund stands, by a status or by a callback; or what is wrong with it.
 * @param refundReference ours, where it is known.
 */
export function readRefundOutcome(
  refund: unknown,
  refundReference: string | undefined,
): RefundOutcome | string {
  const providerRefundReference = textAt(refund, 'refundId');
  const status = statusAt(refund);
  const money = readMoney(valueAt(refund, 'amount'), valueAt(refund, 'currency'));
  if (providerRefundReference === undefined) return 'a refund without its id';
  if (status === undefined) return 'a refund without a status';
  if (!money) return 'a refund of no exact amount of a currency that we count in';
  return {
    kind: 'refund',
    ...(refundReference !== undefined && { refundReference }),
    providerRefundReference,
    ...money,
    status: meaningOf(status),
    ...(FAILED_WORDS.has(status) && reasonOfFailure(refund)),
  };
}

/** Every word but those for an end is one of being under way. */
function meaningOf(status: string): RefundOutcome['status'] {
  if (status === 'COMPLETED') return 'succeeded';
  return FAILED_WORDS.has(status) ? 'failed' : 'pending';
}
