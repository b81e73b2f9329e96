import fc from 'fast-check';
import { CURRENCIES, toDecimal, type Currency } from '../src/money.js';
import { parseJson } from '../src/providers/json-document.js';
import { readCurrency, readMajorUnits, readWholeNumber } from '../src/providers/written-amount.js';
import { decodeText, meaningOfWord } from '../src/providers/written-text.js';
import { recogniseAttemptReference } from '../src/references.js';

describe('an amount in major units', () => {
  test.each<[unknown, Currency, number]>([
    ['15000', 'XOF', 15_000],
    [15000, 'XOF', 15_000],
    [15000.0, 'XOF', 15_000],
    ['15000.00', 'XOF', 15_000],
    ['15 000', 'XOF', 15_000],
    ['15\u00a0000', 'XOF', 15_000],
    ['15\u202f000', 'XOF', 15_000],
    ['1 500 000', 'XOF', 1_500_000],
    ["15'000.00", 'CHF', 1_500_000],
    ['15000,00', 'XOF', 15_000],
    ['15 000,00', 'XOF', 15_000],
    ['15.000,00', 'XOF', 15_000],
    ['15,000.00', 'XOF', 15_000],
    ['1.500.000', 'XOF', 1_500_000],
    ['1,500,000', 'XOF', 1_500_000],
    ['1,500,000.5', 'EUR', 150_000_050],
    ['+15000', 'XOF', 15_000],
    [' 15000 ', 'XOF', 15_000],
    ['15000 XOF', 'XOF', 15_000],
    ['xof 15000', 'XOF', 15_000],
    ['15 000 FCFA', 'XOF', 15_000],
    ['15 000 F CFA', 'XAF', 15_000],
    ['150,50 €', 'EUR', 15_050],
    [150.5, 'EUR', 15_050],
    ['150,5', 'EUR', 15_050],
    ['10.990000', 'EUR', 1_099],
    ['15000.000', 'XOF', 15_000],
    ['0.500', 'EUR', 50],
    ['1.234', 'TND', 1_234],
    ['1.234,500', 'TND', 1_234_500],
    ['0', 'XOF', 0],
    ['-15000', 'XOF', -15_000],
  ])('%j of %s is %d minor units', (written, currency, minorUnits) => {
    expect(readMajorUnits(written, currency)).toBe(minorUnits);
  });

  test.each<[string, unknown, Currency]>([
    ['could be fifteen hundred, or one and a half', '1,500', 'XOF'],
    ['could be fifteen hundred, or one and a half', '1.500', 'XOF'],
    ['could be fifteen hundred, or one and a half', '1.500', 'EUR'],
    ['could be fifteen hundred, or one and a half', '1,500', 'TND'],
    ['could be grouped in two ways', '15 000,000', 'XOF'],
    ['could be grouped in two ways', '1.500,000', 'EUR'],
    ['is grouped in twos', '15 00', 'XOF'],
    ['is grouped wrongly', '15.00.000', 'XOF'],
    ['begins a group with nothing', '.500.000', 'XOF'],
    ['is more precise than its currency', '15000.5', 'XOF'],
    ['is more precise than its currency', 150.505, 'EUR'],
    ['is of another currency', '15000 EUR', 'XOF'],
    ['has an exponent', '1.5e4', 'XOF'],
    ['is in words', 'fifteen', 'XOF'],
    ['is empty', '', 'XOF'],
    ['is a currency alone', 'XOF', 'XOF'],
    ['is a list', [15000], 'XOF'],
    ['is null', null, 'XOF'],
    ['has more digits than a number keeps', 123456789012345.67, 'EUR'],
    ['is more than an integer holds', '9007199254740993', 'XOF'],
    ['is no number', NaN, 'XOF'],
    ['has two signs', '+-5', 'XOF'],
    ['has digits of another script', '١٥٠٠٠', 'XOF'],
  ])('that %s is not read: %j of %s', (_why, written, currency) => {
    expect(readMajorUnits(written, currency)).toBeUndefined();
  });

  test('as our contract has it is always read as itself, or not at all', () => {
    fc.assert(
      fc.property(fc.nat({ max: 10 ** 12 }), fc.constantFrom(...CURRENCIES), (amount, currency) => {
        expect(readMajorUnits(toDecimal(amount, currency), currency)).toBe(amount);
      }),
    );
  });
});

test.each<[unknown, number | undefined]>([
  [1500000, 1_500_000],
  ['1500000', 1_500_000],
  ['1 500 000', 1_500_000],
  ['+15', 15],
  ['15000.00', undefined],
  ['1,500', undefined],
  [15000.5, undefined],
  ['9007199254740993', undefined],
])('in minor units %j is %s', (written, whole) => {
  expect(readWholeNumber(written)).toBe(whole);
});

test.each([
  ['xof', 'XOF'],
  [' EUR ', 'EUR'],
  ['Xof', 'XOF'],
  ['FCFA', undefined],
  ['XTS', undefined],
  [952, undefined],
  [null, undefined],
])('the currency %j is read as %s', (written, currency) => {
  expect(readCurrency(written)).toBe(currency);
});

describe('a word of a provider', () => {
  const WORDS = { BOOKED: 'paid', 'In Progress': 'processing', open: 'pending', OPEN: 'failed' };
  test.each([
    ['BOOKED', 'paid'],
    ['booked', 'paid'],
    [' Booked ', 'paid'],
    ['IN  PROGRESS', 'processing'],
    ['open', 'pending'],
    ['OPEN', 'failed'],
    ['Open', undefined],
    ['constructor', undefined],
    ['SETTLED', undefined],
  ])('%j means %s', (word, meaning) => {
    expect(meaningOfWord(word, WORDS)).toBe(meaning);
  });
});

describe('a body in any encoding', () => {
  const TEXT = '{"name":"Café Ébène"}';
  test.each<[string, Buffer, string | undefined]>([
    ['UTF-8', Buffer.from(TEXT), 'application/json'],
    ['UTF-8 that calls itself Latin 1', Buffer.from(TEXT), 'application/json; charset=iso-8859-1'],
    ['Latin 1', Buffer.from(TEXT, 'latin1'), 'application/json; charset=ISO-8859-1'],
    ['Windows 1252', Buffer.from(TEXT, 'latin1'), 'text/plain; charset="windows-1252"'],
    ['UTF-16, low byte first', Buffer.from(TEXT, 'utf16le'), undefined],
    ['UTF-16, high byte first', Buffer.from(TEXT, 'utf16le').swap16(), undefined],
    ['UTF-16 with its mark', Buffer.from(`\ufeff${TEXT}`, 'utf16le'), 'application/json'],
  ])('is its text: %s', (_name, bytes, contentType) => {
    expect(decodeText(bytes, contentType)).toBe(TEXT);
  });

  test.each([undefined, 'application/json', 'application/json; charset=no-such-charset'])(
    'that nothing explains keeps what is ASCII (%s)',
    (contentType) => {
      const text = decodeText(Buffer.from(TEXT, 'latin1'), contentType);
      expect(text).toBe('{"name":"Caf\ufffd \ufffdb\ufffdne"}');
    },
  );
});

test.each([
  ['{"id":9007199254740993}', { id: '9007199254740993' }],
  ['{"id":12345678901234567890,"n":1}', { id: '12345678901234567890', n: 1 }],
  [
    '{"a":"12345678901234567890 \\" 12345678901234567890"}',
    { a: '12345678901234567890 " 12345678901234567890' },
  ],
  ['[15000.00, 1.5, -2, 1e3]', [15000, 1.5, -2, 1000]],
  ['{"id":1234567890123456', undefined],
  ['', undefined],
])('no digit of a number in JSON is lost: %s', (text, json) => {
  expect(parseJson(text)).toEqual(json);
});

describe('a reference of ours', () => {
  const REFERENCE = 'TXN-01K8Q5Z7M3N9P2R4S6T8V0W1X2-1';
  test.each([
    REFERENCE,
    REFERENCE.toLowerCase(),
    ` ${REFERENCE} `,
    'TXN 01K8Q5Z7M3 N9P2R4S6 T8V0W1X2 1',
    'txn01k8q5z7m3n9p2r4s6t8v0w1x21',
    'TXN-OIK8Q5Z7M3N9P2R4S6T8VOWIX2-1',
    `Votre commande: ${REFERENCE}, merci`,
    `${REFERENCE} / ${REFERENCE.toLowerCase()}`,
  ])('is recognised as a person writes it: %s', (text) => {
    expect(recogniseAttemptReference(text)).toBe(REFERENCE);
  });

  test.each([
    'INV-2026-0017',
    'TXN-1042-1',
    REFERENCE.slice(0, -2),
    `${REFERENCE} ${REFERENCE.replace('01K', '02K')}`,
    `A${REFERENCE}`,
    REFERENCE.replace('Q', 'U'),
    '',
  ])('is not seen in %j', (text) => {
    expect(recogniseAttemptReference(text)).toBeUndefined();
  });
});
