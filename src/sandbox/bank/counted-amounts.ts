import { type Currency, fromDecimal, toDecimal } from '../../money.js';
import type { BankDialect } from './dialect.js';

/** With how many decimals the bank counts each currency; one that is not here has those of ISO 4217. */
export type BankDecimals = Readonly<Partial<Record<Currency, number>>>;

type Json = Record<string, unknown>;

/**
 * A bank that says all amounts as whole numbers of units of its own: with 2 decimals for XOF, 15 000 francs are 1500000.
 * Beside that it speaks as the default contract has it.
 */
export function countingIn(
  decimals: BankDecimals,
): Pick<BankDialect, 'understand' | 'answer' | 'notification'> {
  return {
    understand: (_method, asked) =>
      asked.body === ''
        ? asked
        : { ...asked, body: JSON.stringify(contractAmounts(JSON.parse(asked.body) as Json, decimals)) },
    answer: (answer) => bankAmounts(answer, decimals),
    notification: (notification) => bankAmounts(notification, decimals),
  };
}

function contractAmounts(order: Json, decimals: BankDecimals): Json {
  const currency = order['currency'] as Currency;
  const units = BigInt(order['amount'] as number);
  const perMinorUnit = factor(currency, decimals);
  // A part of a minor unit is no money; what is left of it makes the contract's "bad_amount".
  const amount =
    units % perMinorUnit === 0n ? toDecimal(Number(units / perMinorUnit), currency) : 'part of a unit';
  return { ...order, amount };
}

const AMOUNTS = ['amount', 'paid_amount', 'refunded_amount'];

function bankAmounts(said: unknown, decimals: BankDecimals): unknown {
  if (Array.isArray(said)) return said.map((item) => bankAmounts(item, decimals));
  if (typeof said !== 'object' || said === null) return said;
  const { currency } = said as Json;
  const entries = Object.entries(said).map(([name, value]): [string, unknown] => {
    if (!AMOUNTS.includes(name)) return [name, bankAmounts(value, decimals)];
    const code = currency as Currency;
    return [name, Number(BigInt(fromDecimal(value as string, code)) * factor(code, decimals))];
  });
  return Object.fromEntries(entries);
}

/** How many of the bank's units a minor unit of ours is. */
function factor(currency: Currency, decimals: BankDecimals): bigint {
  const ours = (toDecimal(0, currency).split('.')[1] ?? '').length;
  const more = (decimals[currency] ?? ours) - ours;
  if (more < 0) throw new RangeError(`a double that counts ${currency} in larger units is not made yet`);
  return 10n ** BigInt(more);
}
