import { type Currency, isCurrency, minorUnitDigits, toDecimal } from '../../money.js';
import { writeAmount } from './bank-amount.js';
import { type BankOptions, completeBankOptions } from './bank-options.js';

/** Of a bank that takes any currency: one of each number of decimals. */
const COMMON: readonly Currency[] = ['XOF', 'EUR', 'TND'];

/** Minor units whose every decimal can be seen, by the number of the currency's decimals. */
const EXAMPLES: Readonly<Record<number, number>> = { 0: 15_000, 2: 1_099, 3: 10_999 };

/**
 * What a bank will be sent for an amount that a person can picture, a line for each currency: an amount in the wrong
 * units is a hundred times too much or too little, and no test against a double finds it.
 */
export function amountsInWords(options: BankOptions): string[] {
  const bank = completeBankOptions(options);
  const counted = Object.keys(bank.amountExponents).filter(isCurrency);
  const currencies =
    bank.currencies === 'ANY'
      ? [...counted, ...COMMON.filter((code) => !counted.includes(code))]
      : bank.currencies;
  return currencies.map((currency) => {
    const send = (amount: number) => {
      const written = writeAmount(amount, bank.amounts.api, currency);
      return (
        written !== undefined &&
        `${currency} ${toDecimal(amount, currency)} will be sent as ${JSON.stringify(written)}`
      );
    };
    const digits = minorUnitDigits(currency);
    const example = EXAMPLES[digits] ?? 10 ** digits;
    const whole = 10 * 10 ** digits;
    const sent = send(example) || `${send(whole)}, and no smaller parts of it can be sent`;
    return `${bank.name}: ${sent}`;
  });
}
