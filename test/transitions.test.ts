import {
  isOpen,
  mayMove,
  OPEN_STATUSES,
  PAYMENT_STATUSES,
  TRANSITIONS,
  type PaymentStatus,
} from '../src/payments/transitions.js';

/** Section 4 of the design, written down a second time, and what building it has added. */
const ARROWS: readonly (readonly [from: string, to: string])[] = [
  ['PENDING UNKNOWN', 'PROCESSING'],
  ['PENDING PROCESSING', 'UNKNOWN'],
  ['PENDING PROCESSING UNKNOWN', 'AUTHORIZED'],
  ['PENDING PROCESSING UNKNOWN AUTHORIZED FAILED EXPIRED CANCELLED', 'PAID'],
  ['PENDING PROCESSING UNKNOWN AUTHORIZED', 'FAILED'],
  ['PENDING UNKNOWN AUTHORIZED', 'CANCELLED'],
  ['PENDING UNKNOWN', 'EXPIRED'],
  ['PENDING PROCESSING UNKNOWN AUTHORIZED', 'REVIEW'],
  ['PAID', 'PARTIALLY_REFUNDED REFUNDED DISPUTED'],
  ['PARTIALLY_REFUNDED', 'REFUNDED DISPUTED'],
  ['DISPUTED', 'PAID PARTIALLY_REFUNDED REFUNDED'],
  // Added: a provider that lets the payer try again, and one that was asked again and is still waiting for the payer.
  ['PROCESSING UNKNOWN', 'PENDING'],
  // Added: late money that can't be honoured.
  ['FAILED CANCELLED EXPIRED', 'REVIEW'],
  // Added: a person accepts, gives back, or closes.
  ['REVIEW', 'PAID REFUNDED CANCELLED'],
  // Added: a refund that had succeeded fails after all; a refunded payment may be disputed all the same.
  ['PARTIALLY_REFUNDED', 'PAID'],
  ['REFUNDED', 'PAID PARTIALLY_REFUNDED DISPUTED'],
  // Added: what the bank keeps is no refund; it may be appealed, or come back after all.
  ['PAID PARTIALLY_REFUNDED REFUNDED DISPUTED', 'CHARGED_BACK'],
  ['CHARGED_BACK', 'PAID PARTIALLY_REFUNDED REFUNDED DISPUTED'],
  // Added: a review that was closed gives its money back; one that gave it back has it again, and is decided anew.
  ['CANCELLED', 'REFUNDED'],
  ['REFUNDED', 'REVIEW'],
];

const allowed = new Set(
  ARROWS.flatMap(([from, to]) =>
    from.split(' ').flatMap((start) => to.split(' ').map((end) => `${start} → ${end}`)),
  ),
);
const everyStep = PAYMENT_STATUSES.flatMap((from) => PAYMENT_STATUSES.map((to) => [from, to] as const));

test('the table allows exactly the steps of the design, and refuses every other', () => {
  const taken = everyStep.filter(([from, to]) => mayMove(from, to)).map(([from, to]) => `${from} → ${to}`);
  expect(taken.sort()).toEqual([...allowed].sort());
});

test('the table speaks of every status, and of no other', () => {
  expect(Object.keys(TRANSITIONS).sort()).toEqual([...PAYMENT_STATUSES].sort());
  const targets = new Set(Object.values(TRANSITIONS).flat());
  expect([...targets].filter((status) => !PAYMENT_STATUSES.includes(status))).toEqual([]);
});

test('every status can be reached from PENDING', () => {
  const reached = new Set<PaymentStatus>(['PENDING']);
  for (const status of reached) TRANSITIONS[status].forEach((next) => reached.add(next));
  expect([...reached].sort()).toEqual([...PAYMENT_STATUSES].sort());
});

test('the same status again is never a step', () => {
  expect(PAYMENT_STATUSES.filter((status) => mayMove(status, status))).toEqual([]);
});

test('late money, a person, or the payer’s bank may move what seemed to be over: no status is a dead end', () => {
  expect(PAYMENT_STATUSES.filter((status) => TRANSITIONS[status].length === 0)).toEqual([]);
});

test('once money has moved, nothing leads back to a status without money', () => {
  const withMoney: PaymentStatus[] = [
    ...(['PAID', 'PARTIALLY_REFUNDED', 'REFUNDED', 'DISPUTED', 'CHARGED_BACK', 'REVIEW'] as const),
  ];
  // A review is closed by a person, who knows what became of its money.
  const isDecidedByNobody = (status: PaymentStatus) => status !== 'REVIEW';
  expect(
    withMoney
      .filter(isDecidedByNobody)
      .flatMap((status) => TRANSITIONS[status])
      .filter((next) => !withMoney.includes(next)),
  ).toEqual([]);
});

test('a payment that is over without money is not open, so that its order can be paid anew', () => {
  expect(PAYMENT_STATUSES.filter((status) => isOpen(status))).toEqual([...OPEN_STATUSES]);
  expect((['FAILED', 'CANCELLED', 'EXPIRED'] as const).filter((status) => isOpen(status))).toEqual([]);
});
