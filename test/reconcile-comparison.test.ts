import type { ListedPayment } from '../src/providers/provider.js';
import { comparePayment, isOurs } from '../src/reconcile/compare-payment.js';
import type { OurAttempt, OurCapture } from '../src/reconcile/our-attempt.js';
import { progressLine, startProgressBar } from '../src/reconcile/progress-bar.js';
import { readCommand } from '../src/reconcile/command.js';
import { rangeOf } from '../src/reconcile/time-range.js';

const INTENT = `TXN-${'0'.repeat(26)}`;
const ATTEMPT = `${INTENT}-1`;
const AT = new Date('2026-11-20T08:00:00Z');

const theirs = (values: Partial<ListedPayment> = {}): ListedPayment => ({
  providerReference: 'pi_1',
  attemptReference: ATTEMPT,
  captureReference: 'pi_1',
  currency: 'EUR',
  capturedAmount: 1_500,
  refundedAmount: 0,
  createdAt: AT,
  ...values,
});

const capture = (values: Partial<OurCapture> = {}): OurCapture => ({
  attemptReference: ATTEMPT,
  provider: 'stripe',
  providerReference: 'pi_1',
  amount: 1_500,
  refundedAmount: 0,
  refundUnderWayAmount: 0,
  ...values,
});

const ours = (values: Partial<OurAttempt> = {}): OurAttempt => ({
  attemptReference: ATTEMPT,
  orderReference: 'ORD-1',
  status: 'SUCCEEDED',
  currency: 'EUR',
  isOfSubscription: false,
  capturesOfOrder: [capture()],
  ...values,
});

const SECOND = capture({ attemptReference: `${INTENT}-2`, provider: 'bank-x', providerReference: 'tr_2' });

describe('one payment in both books', () => {
  const compared = (there: ListedPayment, here?: OurAttempt) =>
    comparePayment('stripe', there, here).map(({ type, description }) => [type, description]);

  test.each<[string, ListedPayment, OurAttempt]>([
    ['paid', theirs(), ours()],
    [
      'given back in part',
      theirs({ refundedAmount: 400 }),
      ours({ capturesOfOrder: [capture({ refundedAmount: 400 })] }),
    ],
    [
      'with a refund under way that the provider counts already',
      theirs({ refundedAmount: 400 }),
      ours({ capturesOfOrder: [capture({ refundUnderWayAmount: 400 })] }),
    ],
    [
      'with a refund under way that the provider does not count yet',
      theirs(),
      ours({ capturesOfOrder: [capture({ refundUnderWayAmount: 400 })] }),
    ],
    [
      'paid twice, with the second given back',
      theirs(),
      ours({ capturesOfOrder: [capture(), { ...SECOND, refundedAmount: 1_500 }] }),
    ],
    [
      'paid twice, with the second about to be given back',
      theirs(),
      ours({ capturesOfOrder: [capture(), { ...SECOND, refundUnderWayAmount: 1_500 }] }),
    ],
  ])('does not differ: %s', (_, there, here) => {
    expect(compared(there, here)).toEqual([]);
  });

  test.each<[string, ListedPayment, OurAttempt | undefined, [string, string][]]>([
    [
      'our mark and no such attempt',
      theirs(),
      undefined,
      [['MISSING_HERE', '15.00 EUR there; here is no such attempt']],
    ],
    [
      'money that an open attempt has not heard of',
      theirs(),
      ours({ status: 'PENDING', capturesOfOrder: [] }),
      [['MISSING_HERE', '15.00 EUR there; here the attempt is PENDING']],
    ],
    [
      'money of an attempt that ended without',
      theirs(),
      ours({ status: 'FAILED', capturesOfOrder: [] }),
      [['STATUS', '15.00 EUR there; here the attempt is FAILED']],
    ],
    [
      'money that we have, of an attempt that has not succeeded',
      theirs(),
      ours({ status: 'PROCESSING' }),
      [['STATUS', '15.00 EUR there; here the attempt is PROCESSING']],
    ],
    [
      'another amount taken',
      theirs({ capturedAmount: 1_200 }),
      ours(),
      [['AMOUNT', '12.00 EUR there; 15.00 EUR here']],
    ],
    [
      'more given back there',
      theirs({ refundedAmount: 500 }),
      ours({ capturesOfOrder: [capture({ refundUnderWayAmount: 400 })] }),
      [['AMOUNT', '15.00 EUR, 5.00 EUR of it given back, there; 15.00 EUR here']],
    ],
    [
      'more given back here',
      theirs(),
      ours({ capturesOfOrder: [capture({ refundedAmount: 100 })] }),
      [['AMOUNT', '15.00 EUR there; 15.00 EUR, 1.00 EUR of it given back, here']],
    ],
    [
      'another currency',
      theirs({ currency: 'JPY' }),
      ours({ capturesOfOrder: [] }),
      [['AMOUNT', '1500 JPY there; here it is to be paid in EUR']],
    ],
    [
      'an order that was paid twice',
      theirs(),
      ours({ capturesOfOrder: [capture(), SECOND] }),
      [['DOUBLE', `15.00 EUR by ${ATTEMPT}, 15.00 EUR by ${INTENT}-2; 30.00 EUR is not given back`]],
    ],
    [
      'a second payment that we have not heard of, which is missing here first of all',
      theirs(),
      ours({ status: 'PENDING', capturesOfOrder: [SECOND] }),
      [
        ['MISSING_HERE', '15.00 EUR there; here the attempt is PENDING'],
        ['DOUBLE', `15.00 EUR by ${INTENT}-2, 15.00 EUR by ${ATTEMPT}; 30.00 EUR is not given back`],
      ],
    ],
    [
      'everything at once',
      theirs({ capturedAmount: 1_000 }),
      ours({ status: 'CANCELLED', capturesOfOrder: [capture(), SECOND] }),
      [
        ['AMOUNT', '10.00 EUR there; 15.00 EUR here'],
        ['STATUS', '10.00 EUR there; here the attempt is CANCELLED'],
        ['DOUBLE', `15.00 EUR by ${ATTEMPT}, 15.00 EUR by ${INTENT}-2; 30.00 EUR is not given back`],
      ],
    ],
  ])('differs: %s', (_, there, here, differences) => {
    expect(compared(there, here)).toEqual(differences);
  });

  test('is ours by our mark or because we know it, and not by a mark of somebody else', () => {
    expect(isOurs(theirs(), undefined)).toBe(true);
    expect(isOurs(theirs({ attemptReference: undefined }), ours())).toBe(true);
    expect(isOurs(theirs({ attemptReference: undefined }), undefined)).toBe(false);
    expect(isOurs(theirs({ attemptReference: 'INV-2026-17' }), undefined)).toBe(false);
  });
});

describe('what is typed', () => {
  const NOW = new Date('2026-11-22T00:00:00Z');

  test.each([
    ['2026-11-20', '2026-11-20T00:00:00.000Z'],
    ['2026-11-20T08:30', '2026-11-20T08:30:00.000Z'],
    ['2026-11-20T08:30:15.250Z', '2026-11-20T08:30:15.250Z'],
    ['2026-11-20T08:30:00+02:00', '2026-11-20T06:30:00.000Z'],
  ])('--since %s is %s, until now', (given, since) => {
    expect(readCommand(['--since', given], NOW)).toEqual({
      range: { since: new Date(since), until: NOW },
      provider: undefined,
      repair: false,
    });
  });

  test.each([
    [[], 'Give --since'],
    [['--since', 'yesterday'], '--since must be a day or a time'],
    [['--since', '2026-02-30'], '--since must be a day or a time'],
    [['--since', '2026-13-01'], '--since must be a day or a time'],
    [['--since', '2026-11-20T25:00Z'], '--since must be a day or a time'],
    [['--since', '2026-11-23'], '--since must be before now'],
    [['--since', '2026-11-20', '--until', '2026-11-20'], '--since must be before --until'],
    [['--since', '2026-11-20', '--fix'], "Unknown option '--fix'"],
    [['--days', '0'], '--days must be a number of days'],
    [['--days', '7', '--since', '2026-11-20'], 'either --since or --days'],
    [['2026-11-20'], 'Unexpected argument'],
  ])('%j is refused with a sentence', (given, sentence) => {
    expect(() => readCommand(given, NOW)).toThrow(sentence);
  });
});

test('the shortest range that holds some times ends just after the last', () => {
  const times = [AT, new Date('2026-11-19T00:00:00Z'), new Date('2026-11-19T12:00:00Z')];
  expect(rangeOf(times)).toEqual({
    since: new Date('2026-11-19T00:00:00Z'),
    until: new Date('2026-11-20T08:00:00.001Z'),
  });
});

describe('the progress bar', () => {
  const lineOf = (isTTY: boolean) => {
    let written = '';
    const bar = startProgressBar({ isTTY, write: (text) => (written += text) }, 'stripe', 200);
    bar.show(100);
    bar.end();
    return written;
  };

  test('is one line that is written over, and is gone in the end', () => {
    expect(lineOf(true).split('\r')).toEqual([
      '',
      `stripe  ${'░'.repeat(30)}  0 of about 200 payments\u001b[K`,
      `stripe  ${'█'.repeat(15)}${'░'.repeat(15)}  100 of about 200 payments\u001b[K`,
      '\u001b[K',
    ]);
  });

  test('is nothing where nobody looks', () => {
    expect(lineOf(false)).toBe('');
  });

  test('does not run over when the provider has more than we', () => {
    expect(progressLine('stripe', 300, 0)).toBe(`stripe  ${'█'.repeat(30)}  300 of about 300 payments`);
  });
});
