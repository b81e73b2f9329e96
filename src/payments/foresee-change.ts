import type { EntityManager } from 'typeorm';
import { foreseeSoldOut } from '../orders/sold-out.js';
import type { LoadedPayment } from './loaded-payment.js';
import { changePayment, type PaymentChange } from './payment-change.js';

/**
 * `writeChange` without the writing: what the change would be at this moment.
 * @returns null when there is no such payment.
 */
export async function foreseeChange<Result>(
  manager: EntityManager,
  actor: string,
  load: () => Promise<LoadedPayment | null>,
  prepare: (change: PaymentChange) => Result,
): Promise<{ change: PaymentChange; result: Result } | null> {
  const loaded = await load();
  if (!loaded) return null;
  const change = changePayment(loaded, actor);
  const result = prepare(change);
  // What the database would refuse: late money whose pieces or places are sold.
  const soldOut = change.stockStep === 'TAKE_FREE' ? await foreseeSoldOut(manager, loaded.order) : null;
  if (soldOut === null) return { change, result };
  const decidedAgain = changePayment(loaded, actor, soldOut);
  return { change: decidedAgain, result: prepare(decidedAgain) };
}
