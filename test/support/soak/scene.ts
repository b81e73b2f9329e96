import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CREATE_PAYMENT, RETURN_URL, type GraphQLAnswer, type RunningApp } from '../running-app.js';
import type { RandomChoice } from './random-choice.js';

export const CARD = { method: 'CARD' };
export const CHECKOUT = { method: 'CARD', presentation: 'REDIRECT', returnUrl: RETURN_URL };
export const AT_BANK = { method: 'BANK', returnUrl: RETURN_URL };

/** Where the payer pays, in the provider's words. */
export interface Door {
  readonly provider: 'stripe' | 'bank-x';
  /** `pi_…`, `cs_…`, or the bank's own id. */
  readonly reference: string;
}

export interface OpenedPayment extends Door {
  readonly id: string;
}

const TRIES = 6;
const PAUSE_MILLISECONDS = 200;

/** What a program repeats, because it was told that it may. */
const RETRYABLE = new Set(['PROVIDER_UNAVAILABLE', 'CHANGED_MEANWHILE', 'PAYMENT_CHANGED']);

/** One order, its payer, and its shop. */
export interface Scene {
  readonly app: RunningApp;
  readonly choice: RandomChoice;
  /** What is ordered, and what can be subscribed to. */
  readonly sku: string;
  readonly magazine: string;
  readonly orderId: string;
  readonly token: string;
  /** Counts every answer by its code. */
  readonly tally: Tally;
}

export class Tally {
  readonly #counts = new Map<string, number>();

  add(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }

  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].sort(([one], [other]) => one.localeCompare(other)));
  }
}

/** Asks our API, and again for as long as it says that it may be asked again. */
export async function ask(
  { tally }: Pick<Scene, 'tally'>,
  name: string,
  request: () => Promise<GraphQLAnswer>,
): Promise<GraphQLAnswer> {
  for (let tries = 1; ; tries += 1) {
    const answer = await request();
    const code = answer.errors?.[0]?.extensions.code ?? 'done';
    tally.add(`${name}: ${code}`);
    if (!RETRYABLE.has(code) || tries === TRIES) return answer;
    await sleep(PAUSE_MILLISECONDS);
  }
}

/** Opens a payment, or goes on with it, until the payer has a door; undefined when there is none to be had. */
export async function open(
  scene: Scene,
  way: object,
  token = scene.token,
): Promise<OpenedPayment | undefined> {
  const input = { orderId: scene.orderId, ...way, idempotencyKey: randomUUID() };
  for (let tries = 0; tries < TRIES; tries += 1) {
    const answer = await ask(scene, 'createPaymentIntent', () =>
      scene.app.graphql(CREATE_PAYMENT, { input }, token),
    );
    if (answer.errors) return undefined;
    const { paymentIntent, nextAction } = answer.data.createPaymentIntent;
    if (nextAction) return { id: paymentIntent.id, ...doorOf(nextAction) };
    // Nothing to do for the payer, unless the provider did not answer.
    if (paymentIntent.status !== 'UNKNOWN') return undefined;
    await sleep(PAUSE_MILLISECONDS);
  }
  return undefined;
}

function doorOf({ clientSecret, url }: { clientSecret?: string; url?: string }): Door {
  if (clientSecret) return { provider: 'stripe', reference: clientSecret.split('_secret_')[0]! };
  const reference = new URL(url!).pathname.split('/').at(-1)!;
  return { provider: reference.startsWith('cs_') ? 'stripe' : 'bank-x', reference };
}

/** What can't be done at the provider any more isn't: a payer finds the door closed. */
export function tryAt(deed: () => unknown): boolean {
  try {
    deed();
    return true;
  } catch (error) {
    expect(String(error)).toMatch(/status|only|expired|cancel|refund|charge|paid|between|held|409/i);
    return false;
  }
}

/** Waits a while for the payment to stand in one of these; tells whether it does. */
export async function isSoon(
  { app }: Scene,
  id: string,
  statuses: readonly string[],
  milliseconds = 3_000,
): Promise<boolean> {
  const deadline = Date.now() + milliseconds;
  do {
    const rows: unknown[] = await app.dataSource.query(
      'SELECT FROM payment_intent WHERE reference = $1 AND status = ANY($2)',
      [id, statuses],
    );
    if (rows.length > 0) return true;
    await sleep(PAUSE_MILLISECONDS);
  } while (Date.now() < deadline);
  return false;
}
