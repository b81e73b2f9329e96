import { type Currency, toDecimal } from '../money.js';
import type { Provider } from './provider.js';

export type AmountObstacleCode = 'AMOUNT_TOO_SMALL' | 'AMOUNT_TOO_LARGE' | 'AMOUNT_NOT_MULTIPLE';

/** Why a provider doesn't take an amount. */
export interface AmountObstacle {
  readonly code: AmountObstacleCode;
  readonly message: string;
}

type Limited = Pick<Provider, 'name' | 'capabilities'>;

/** Why a provider doesn't take a payment of this amount, in minor units; undefined when it does. */
export function whyAmountNot(
  { name, capabilities }: Limited,
  amount: number,
  currency: Currency,
): AmountObstacle | undefined {
  const { minimum = 1, maximum = Number.MAX_SAFE_INTEGER } = capabilities.limits(currency);
  const minorUnits = `${currency} (minor units)`;
  if (amount < minimum) {
    return { code: 'AMOUNT_TOO_SMALL', message: `${name} takes at least ${minimum} ${minorUnits}.` };
  }
  if (amount > maximum) {
    return { code: 'AMOUNT_TOO_LARGE', message: `${name} takes at most ${maximum} ${minorUnits}.` };
  }
  return whyPartNot({ name, capabilities }, amount, currency);
}

/** The same of a part that is taken or given back: however small it is, it must be countable there. */
export function whyPartNot(
  { name, capabilities }: Limited,
  amount: number,
  currency: Currency,
): AmountObstacle | undefined {
  const { step = 1 } = capabilities.limits(currency);
  if (amount % step === 0) return undefined;
  const multiples = `${step} (minor units), so of ${toDecimal(step, currency)} ${currency}`;
  return {
    code: 'AMOUNT_NOT_MULTIPLE',
    message: `${name} takes multiples of ${multiples}, and ${toDecimal(amount, currency)} is none.`,
  };
}
