import type { HttpFault } from '../http-fault.js';

/** An amount, in whole francs, that makes something happen. What goes wrong at creation does so once for each attempt. */
export interface MagicAmount {
  readonly amount: number;
  /** For people, on the front page. */
  readonly says: string;
  /** How the creation of its invoice is answered. */
  readonly creating?: HttpFault | 'REFUSED';
  /** What becomes of the invoice when its payer pays. */
  readonly paying?: 'FAILS' | 'CANCELS' | 'COSTS_MORE';
  readonly notifying?: 'NEVER' | 'TWICE' | 'LIES_AT_ONCE';
}

const NOT_JSON: HttpFault = {
  kind: 'status',
  status: 200,
  contentType: 'text/html; charset=utf-8',
  body: '<html><body>Maintenance</body></html>',
};

export const MAGIC_AMOUNTS: readonly MagicAmount[] = [
  { amount: 4001, says: 'the invoice is refused', creating: 'REFUSED' },
  { amount: 4002, says: 'the payment fails: too little money', paying: 'FAILS' },
  { amount: 4003, says: 'the payer cancels after all', paying: 'CANCELS' },
  {
    amount: 5001,
    says: 'creating answers 502, and nothing was done',
    creating: { kind: 'status', status: 502 },
  },
  {
    amount: 5002,
    says: 'creating answers 502, but the invoice was made',
    creating: { kind: 'status', status: 502, afterDoing: true },
  },
  {
    amount: 5003,
    says: 'creating never answers, and nothing was done',
    creating: { kind: 'hang' },
  },
  {
    amount: 5004,
    says: 'creating never answers, but the invoice was made',
    creating: { kind: 'hang', afterDoing: true },
  },
  { amount: 5005, says: 'creating answers 429', creating: { kind: 'status', status: 429 } },
  { amount: 5006, says: 'creating answers 500', creating: { kind: 'status', status: 500 } },
  {
    amount: 5007,
    says: 'creating answers 200 with a page instead of JSON, but the invoice was made',
    creating: { ...NOT_JSON, afterDoing: true },
  },
  {
    amount: 5008,
    says: 'the connection is reset, but the invoice was made',
    creating: { kind: 'close', afterDoing: true },
  },
  { amount: 6001, says: 'the payer bears fees of 2 %: the total is another', paying: 'COSTS_MORE' },
  { amount: 7001, says: 'no notification ever comes', notifying: 'NEVER' },
  { amount: 7002, says: 'each notification comes twice', notifying: 'TWICE' },
  {
    amount: 7003,
    says: 'a notification lies at once that it is completed',
    notifying: 'LIES_AT_ONCE',
  },
];

const BY_AMOUNT = new Map(MAGIC_AMOUNTS.map((magic) => [magic.amount, magic]));

/** Nothing special for most amounts. */
export function magicOf(amount: unknown): Partial<MagicAmount> {
  return (typeof amount === 'number' && BY_AMOUNT.get(amount)) || {};
}
