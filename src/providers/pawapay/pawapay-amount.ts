import { type Currency, toDecimal } from '../../money.js';
import { readCurrency, readMajorUnits } from '../written-amount.js';

/** Whole amounts without decimals, which every operator takes: (150000, CDF) → "1500"; (150050, CDF) → "1500.50". */
export function toPawaPayAmount(amount: number, currency: Currency): string {
  return toDecimal(amount, currency).replace(/\.0+$/, '');
}

export function isWhole(pawaPayAmount: string): boolean {
  return !pawaPayAmount.includes('.');
}

export interface Money {
  /** Minor units. */
  readonly amount: number;
  readonly currency: Currency;
}

/** By value: "15000" and "15000.00" are the same francs. Undefined for what is no exact amount of a currency that we count in. */
export function readMoney(amount: unknown, currency: unknown): Money | undefined {
  const known = readCurrency(currency);
  const minorUnits = known && readAmount(amount, known);
  return known === undefined || minorUnits === undefined
    ? undefined
    : { amount: minorUnits, currency: known };
}

/** In minor units; undefined for what is no exact amount. */
export function readAmount(amount: unknown, currency: Currency): number | undefined {
  const minorUnits = readMajorUnits(amount, currency);
  return minorUnits !== undefined && minorUnits >= 0 ? minorUnits : undefined;
}
