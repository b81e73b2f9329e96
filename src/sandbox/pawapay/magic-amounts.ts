import { BoundedMap } from '../bounded-map.js';
import { type PawaPayFault, type PawaPayOperation, UNKNOWN_ERROR } from './faults.js';
import type { Fields } from './request-fields.js';

export interface MagicAmount {
  /** In whole units of the currency. */
  readonly amount: number;
  readonly says: string;
  /** Of the first request with an id that creates something. */
  readonly fault?: PawaPayFault;
  /** Of a deposit, at its end. */
  readonly callback?: 'LOST' | 'TWICE' | 'UNSIGNED';
}

/** What a person types to see something go wrong. Each strikes once, so that trying again helps, as it does for real. */
export const MAGIC_AMOUNTS: readonly MagicAmount[] = [
  {
    amount: 66601,
    says: 'done, but answered with 502',
    fault: { kind: 'status', status: 502, afterDoing: true },
  },
  { amount: 66602, says: 'answered with 502, and not done', fault: { kind: 'status', status: 502 } },
  { amount: 66603, says: 'done, but never answered', fault: { kind: 'hang', afterDoing: true } },
  { amount: 66604, says: 'never answered, and not done', fault: { kind: 'hang' } },
  {
    amount: 66605,
    says: 'done, but the connection is reset',
    fault: { kind: 'close', afterDoing: true },
  },
  { amount: 66606, says: 'answered with 429', fault: { kind: 'status', status: 429 } },
  { amount: 66607, says: 'answered with UNKNOWN_ERROR, and not done', fault: UNKNOWN_ERROR },
  {
    amount: 66608,
    says: 'done, but answered with UNKNOWN_ERROR',
    fault: { ...UNKNOWN_ERROR, afterDoing: true },
  },
  {
    amount: 66609,
    says: 'rejected: PROVIDER_TEMPORARILY_UNAVAILABLE',
    fault: { kind: 'reject', failureCode: 'PROVIDER_TEMPORARILY_UNAVAILABLE' },
  },
  { amount: 66610, says: 'its callback is lost', callback: 'LOST' },
  { amount: 66611, says: 'its callback comes twice', callback: 'TWICE' },
  { amount: 66612, says: 'its callback comes without a signature', callback: 'UNSIGNED' },
];

/** @param amount as it stands in a request. */
export function findMagicAmount(amount: string): MagicAmount | undefined {
  return MAGIC_AMOUNTS.find((magic) => magic.amount === Number(amount));
}

const CREATING: readonly PawaPayOperation[] = ['createDeposit', 'createPaymentPage', 'createRefund'];

/** More than anybody types. */
const MOST_STRUCK = 10_000;

/** The faults of magic amounts, each of which strikes an id once. */
export class MagicFaults {
  readonly #struck = new BoundedMap<string, true>(MOST_STRUCK);

  take(operation: PawaPayOperation, body: Fields): PawaPayFault | undefined {
    if (!CREATING.includes(operation)) return undefined;
    const fault = findMagicAmount(amountIn(body))?.fault;
    const id = `${operation} ${String(body['refundId'] ?? body['depositId'])}`;
    if (!fault || this.#struck.has(id)) return undefined;
    this.#struck.set(id, true);
    return fault;
  }
}

function amountIn({ amount, amountDetails }: Fields): string {
  if (typeof amount === 'string') return amount;
  const details = typeof amountDetails === 'object' && amountDetails !== null ? amountDetails : {};
  return 'amount' in details && typeof details.amount === 'string' ? details.amount : '';
}
