import { type Currency, fromDecimal, isCurrency, toDecimal } from '../../money.js';

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
  if (typeof currency !== 'string' || !isCurrency(currency)) return undefined;
  const minorUnits = readAmount(amount, currency);
  return minorUnits === undefined ? undefined : { amount: minorUnits, currency };
}

/** In minor units; undefined for what is no exact amount. */
export function readAmount(amount: unknown, currency: Currency): number | undefined {
  if (typeof amount !== 'string') return undefined;
  try {
    const minorUnits = fromDecimal(amount, currency);
    return minorUnits >= 0 ? minorUnits : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
