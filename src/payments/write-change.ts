import { setTimeout as sleep } from 'node:timers/promises';
import { randomInt } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { whatIsSoldOut, type SoldOut } from '../orders/sold-out.js';
import { commitChange } from './commit-change.js';
import { loadPayment, type LoadedPayment } from './loaded-payment.js';
import { afterCommit, changePayment, isEmpty, type PaymentChange } from './payment-change.js';
import type { PaymentDependencies } from './payment-dependencies.js';
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
  actor: string,
  load: () => Promise<LoadedPayment | null>,
  prepare: (change: PaymentChange) => Result,
): Promise<{ change: PaymentChange; result: Result } | null> {
  let soldOut: SoldOut | null = null;
  return untilUndisturbed(async () => {
    const loaded = await load();
    if (!loaded) return null;
    const change = changePayment(loaded, actor, soldOut);
    const result = prepare(change);
    if (isEmpty(change)) return { change, result };
    try {
      return (await commitChange(manager, change)) ? { change, result } : DISTURBED;
    } catch (error) {
      const found = change.stockStep === 'TAKE_FREE' ? whatIsSoldOut(error) : null;
      // Late money: decide again, knowing that. Whoever knew it and takes the stock all the same is told.
      if (found === null || soldOut !== null) throw error;
      soldOut = found;
      return DISTURBED;
    }
  });
}

/**
 * `writeChange` for a payment of ours: tells the relay, and gives the payment as it is afterwards.
 * @throws {PaymentError} PAYMENT_NOT_FOUND, CHANGED_TOO_OFTEN.
 */
export async function writePayment(
  manager: EntityManager,
  { wakeRelay, actor }: Pick<PaymentDependencies, 'wakeRelay' | 'actor'>,
  intentReference: string,
  prepare: (change: PaymentChange) => void,
): Promise<LoadedPayment> {
  const written = await writeChange(manager, actor, () => loadPayment(manager, intentReference), prepare);
  if (!written) throw new PaymentError('PAYMENT_NOT_FOUND', 'There is no such payment intent.');
  if (written.change.outboxEvents.length > 0) wakeRelay();
  return afterCommit(written.change);
}

/** What a step answers when somebody else was faster: it is to be done again from the beginning. */
export const DISTURBED = Symbol('disturbed');

/** Repeats a step until nobody comes between its reading and its writing. @throws {PaymentError} CHANGED_TOO_OFTEN. */
export async function untilUndisturbed<Result>(
  step: () => Promise<Result | typeof DISTURBED>,
): Promise<Result> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const result = await step();
    if (result !== DISTURBED) return result;
    if (tries >= TRIES_WITHOUT_PAUSE) await sleep(randomInt(1, MAX_PAUSE_MILLISECONDS));
  }
  throw new PaymentError(
    'CHANGED_TOO_OFTEN',
    'The order is being changed by many requests at once. Try again.',
  );
}
