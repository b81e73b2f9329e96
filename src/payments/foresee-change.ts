import type { EntityManager } from 'typeorm';
import { productsShortOf } from '../orders/out-of-stock.js';
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
  // What the database would refuse: late money whose pieces are sold.
  const isSold =
    change.stockStep === 'TAKE_FREE' && (await productsShortOf(manager, loaded.order)).length > 0;
  if (!isSold) return { change, result };
  const decidedAgain = changePayment(loaded, actor, true);
  return { change: decidedAgain, result: prepare(decidedAgain) };
}
