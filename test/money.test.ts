import fc from 'fast-check';
import {
  CURRENCIES,
  formatMoney,
  fromDecimal,
  isCurrency,
  MAX_AMOUNT,
  minorUnitDigits,
  toDecimal,
} from '../src/money.js';

const currency = fc.constantFrom(...CURRENCIES);
const amount = fc.maxSafeInteger();

test('every amount of every currency comes back from its decimal form unchanged', () => {
  fc.assert(
    fc.property(amount, currency, (minorUnits, code) => {
      expect(fromDecimal(toDecimal(minorUnits, code), code)).toBe(minorUnits === 0 ? 0 : minorUnits);
    }),
  );
});

test('a decimal form has exactly the decimals that ISO 4217 gives the currency', () => {
  fc.assert(
    fc.property(amount, currency, (minorUnits, code) => {
      const digits = minorUnitDigits(code);
      const form = digits === 0 ? /^-?\d+$/ : new RegExp(`^-?\\d+\\.\\d{${digits}}$`);
      expect(toDecimal(minorUnits, code)).toMatch(form);
    }),
  );
});

test.each([
  [1099, 'EUR', '10.99'],
  [5, 'EUR', '0.05'],
  [-5, 'EUR', '-0.05'],
  [0, 'EUR', '0.00'],
  [15_000, 'XOF', '15000'],
  [1_234, 'TND', '1.234'],
  [MAX_AMOUNT, 'EUR', '90071992547409.91'],
] as const)('%i minor units of %s are %s', (minorUnits, code, decimal) => {
  expect(toDecimal(minorUnits, code)).toBe(decimal);
  expect(fromDecimal(decimal, code)).toBe(minorUnits);
});

test('missing decimals are zeros, and zeros beyond those of the currency are nothing', () => {
  expect(fromDecimal('10', 'EUR')).toBe(1000);
  expect(fromDecimal('10.5', 'EUR')).toBe(1050);
  expect(fromDecimal('10.5000', 'EUR')).toBe(1050);
  expect(fromDecimal('15000.00', 'XOF')).toBe(15_000);
});

test('nothing is negative zero', () => {
  expect(Object.is(fromDecimal('-0.00', 'EUR'), 0)).toBe(true);
  expect(toDecimal(-0, 'EUR')).toBe('0.00');
});

test.each(['', ' 1', '1 ', '1e3', '+1', '1.', '.5', '1,000', '١', '0x10', 'NaN', 'Infinity', '1.0.0', '1\n'])(
  'the text %j is no plain decimal amount',
  (text) => {
    expect(() => fromDecimal(text, 'EUR')).toThrow('is not a plain decimal amount');
  },
);

test('more precision than the currency has is refused, never rounded', () => {
  fc.assert(
    fc.property(amount, currency, fc.integer({ min: 1, max: 9 }), (minorUnits, code, digit) => {
      const decimal = toDecimal(minorUnits, code);
      const finer = decimal.includes('.') ? `${decimal}${digit}` : `${decimal}.${digit}`;
      expect(() => fromDecimal(finer, code)).toThrow(`decimals that ${code} has`);
    }),
  );
});

test('an amount that a JavaScript integer does not hold is refused', () => {
  expect(() => fromDecimal('90071992547409.92', 'EUR')).toThrow('too large');
  expect(() => fromDecimal('9'.repeat(400), 'XOF')).toThrow('too large');
  expect(() => toDecimal(MAX_AMOUNT + 1, 'EUR')).toThrow(RangeError);
});

test.each([0.5, Number.NaN, Number.POSITIVE_INFINITY])(
  '%d is not an integer of minor units',
  (minorUnits) => {
    expect(() => toDecimal(minorUnits, 'EUR')).toThrow('is not an integer of minor units');
    expect(() => formatMoney(minorUnits, 'EUR', 'en')).toThrow(RangeError);
  },
);

test('only codes of the table are currencies, and nothing that every object has', () => {
  expect(CURRENCIES.every(isCurrency)).toBe(true);
  for (const code of ['eur', 'EURO', 'XXX', '', 'toString', '__proto__', 'constructor']) {
    expect(isCurrency(code)).toBe(false);
  }
});

test('for people, an amount has every digit in every currency, the largest too', () => {
  fc.assert(
    fc.property(amount, currency, (minorUnits, code) => {
      const digits = formatMoney(minorUnits, code, 'en').replace(/\D/g, '');
      expect(digits).toBe(toDecimal(minorUnits, code).replace(/\D/g, ''));
    }),
  );
});

test('an amount is written in the manner of the locale', () => {
  expect(formatMoney(1099, 'EUR', 'en')).toBe('€10.99');
  expect(formatMoney(1099, 'EUR', 'fr').replace(/\s/g, ' ')).toBe('10,99 €');
  expect(formatMoney(15_000, 'XOF', 'fr').replace(/\s/g, ' ')).toBe('15 000 F CFA');
});

test.each(['xx-nowhere-at-all', 'not a locale', '', 'en_US', '🙂'])(
  'the locale %j, which nobody knows, is taken for English',
  (locale) => {
    expect(formatMoney(1099, 'EUR', locale)).toBe('€10.99');
  },
);
