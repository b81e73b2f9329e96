import { setTimeout as sleep } from 'node:timers/promises';
import { randomInt } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { violatedConstraint } from '../database/statement.js';
import { STOCK_CONSTRAINT } from '../orders/stock.js';
import { commitChange } from './commit-change.js';
import type { LoadedPayment } from './loaded-payment.js';
import { changePayment, isEmpty, type PaymentChange } from './payment-change.js';
import { PaymentError } from './payment-error.js';

/** Enough for a crowd around one order; whoever loses this often is told to try again. */
const MAX_TRIES = 40;

/** From here on, losers wait a random moment, so that they don't lose to each other for ever. */
const TRIES_WITHOUT_PAUSE = 3;
const MAX_PAUSE_MILLISECONDS = 20;

/**
 * Reads a payment, lets `prepare` decide on a change, and writes it; when the order was changed by somebody else in
 * between, from the beginning. `prepare` may thus run several times and must do nothing but prepare.
 * @returns null when there is no such payment.
 * @throws {PaymentError} CHANGED_TOO_OFTEN.
 */
export async function writeChange<Result>(
  manager: EntityManager,
  load: () => Promise<LoadedPayment | null>,
  prepare: (change: PaymentChange) => Result,
): Promise<{ change: PaymentChange; result: Result } | null> {
  let stockIsGone = false;
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const loaded = await load();
    if (!loaded) return null;
    const change = changePayment(loaded, stockIsGone);
    const result = prepare(change);
    if (isEmpty(change)) return { change, result };
    try {
      if (await commitChange(manager, change)) return { change, result };
    } catch (error) {
      // Late money found its stock sold: decide again, knowing that.
      if (change.stockStep !== 'TAKE_FREE' || violatedConstraint(error) !== STOCK_CONSTRAINT) throw error;
      stockIsGone = true;
    }
    await pauseBeforeTry(tries);
  }
  throw changedTooOften();
}

export async function pauseBeforeTry(tries: number): Promise<void> {
  if (tries >= TRIES_WITHOUT_PAUSE) await sleep(randomInt(1, MAX_PAUSE_MILLISECONDS));
}

export function changedTooOften(): PaymentError {
  return new PaymentError(
    'CHANGED_TOO_OFTEN',
    'The order is being changed by many requests at once. Try again.',
  );
}
