export const BANK_OPERATIONS = [
  'createPayment',
  'getPayment',
  'findPayments',
  'listPayments',
  'cancelPayment',
  'createRefund',
] as const;

export type BankOperation = (typeof BANK_OPERATIONS)[number];

/** How the next request is answered instead of well. */
export type Fault = {
  /** true: the work is done first, and only the answer goes wrong: the money may have moved. */
  readonly afterDoing?: boolean;
} & (
  | { readonly kind: 'status'; readonly status: number; readonly body?: string }
  /** No answer, and the connection stays open. */
  | { readonly kind: 'hang' }
  /** The connection is reset. */
  | { readonly kind: 'close' }
);

/** What goes wrong by chance, when that is asked for. */
export const FAULTS_BY_CHANCE: readonly Fault[] = [
  { kind: 'status', status: 502, afterDoing: true },
  { kind: 'status', status: 502 },
  { kind: 'close', afterDoing: true },
  { kind: 'close' },
  { kind: 'status', status: 429 },
];
