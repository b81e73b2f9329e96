import { z } from 'zod';
import { list, text } from './environment.js';
import { type Currency, fromDecimal, isCurrency } from './money.js';
import type { AmountRange } from './orders/order-limits.js';
import { LARGEST_EXPONENT } from './providers/bank/bank-amount.js';

/** @param spelled how else it may be written. */
export function oneOf<const Choices extends readonly string[]>(
  choices: Choices,
  hint = '',
  spelled = (value: string) => value.toLowerCase(),
) {
  return text
    .transform((value) => choices.find((choice) => choice.toLowerCase() === spelled(value)) ?? value)
    .pipe(z.enum(choices, { error: `must be ${inWords(choices)}${hint}` }));
}

/** Our word for "nothing", "everything" and the like, which no bank's own word is taken for. */
export function isWord(value: string, word: string): boolean {
  return value.toLowerCase() === word;
}

const HEADER = /^[\w!#$%&'*+.^`|~-]+$/;
const PATH = /^[\w@$-]+(\.[\w@$-]+)*$/;
const ADDRESS = /^(?:[\w.~-]|\{id\})+(?:\/(?:[\w.~-]|\{id\})+)*$/;

export const path = text.regex(PATH, 'must be names joined by dots, such as data.reference');
export const header = text.regex(HEADER, 'must be the name of a header, such as X-Signature');
export const types = list.transform((names) => [...new Set(names)]);

export const currency = z.string().refine(isCurrency, 'must be ISO 4217 codes, such as EUR,XOF');

export const eventId = text.transform((value, context) => {
  if (isWord(value, 'digest')) return { from: 'DIGEST' } as const;
  const [, name] = /^header:\s*(.*)$/i.exec(value) ?? [];
  if (name !== undefined && HEADER.test(name)) return { from: 'HEADER', header: name } as const;
  if (name === undefined && PATH.test(value)) return { from: 'BODY', path: value } as const;
  return refuse(context, 'must be a path in the body such as id, header:X-Event-Id, or digest');
});

export const currencyPath = text.transform((value, context) => {
  const [, code] = /^always:\s*(.*)$/i.exec(value) ?? [];
  if (code !== undefined && isCurrency(code)) return { from: 'ALWAYS', currency: code } as const;
  // Else "EUR" would be looked for as a name in the body, and never be found.
  if (isCurrency(value)) return refuse(context, `must be a path in the body, or always:${value}`);
  if (code === undefined && PATH.test(value)) return { from: 'BODY', path: value } as const;
  return refuse(context, 'must be a path in the body such as data.currency, or always:XOF');
});

/**
 * @param id whether the bank's id of the payment stands in it, as `{id}`.
 * @param mayBeNone for what a bank may not have.
 */
export function address(id: 'NEEDED' | 'POSSIBLE' | 'IMPOSSIBLE', mayBeNone = false) {
  return text.transform((value, context) => {
    if (mayBeNone && isWord(value, 'none')) return 'NONE';
    const below = value.replace(/^\/+/, '');
    if (!ADDRESS.test(below) || below.split('/').some((part) => part === '.' || part === '..')) {
      return refuse(context, 'must be a path below the bank’s URL, such as payments/{id}');
    }
    const hasId = below.includes('{id}');
    if (id === 'NEEDED' && !hasId) return refuse(context, 'must say where the payment’s id stands, as {id}');
    if (id === 'IMPOSSIBLE' && hasId)
      return refuse(context, 'has {id}, but there is no payment whose id it is');
    return below;
  });
}

/** What the bank says = what we say, in pairs. */
function pairs<const Ours extends readonly string[]>(ours: Ours, example: string) {
  return list.transform((parts, context) => {
    const read = parts.map((part) =>
      /^(.+)=(.*)$/
        .exec(part)
        ?.slice(1)
        .map((side) => side.trim()),
    );
    if (!read.every((pair): pair is [string, string] => pair?.length === 2 && pair[0] !== '')) {
      return refuse(context, `must be pairs, the bank’s word first, such as ${example}`);
    }
    const unknown = read.find(([, our]) => !ours.includes(our));
    if (unknown) {
      return refuse(context, `has ${unknown.join('=')}, but behind the = stands ${inWords(ours)}`);
    }
    return read.filter((pair): pair is [string, Ours[number]] => ours.includes(pair[1]));
  });
}

export function words<const Meanings extends readonly string[]>(
  meanings: Meanings,
  needed: Meanings[number],
  example: string,
) {
  return pairs(meanings, example).transform((read, context) => {
    const twice = firstTwice(read.map(([word]) => word));
    if (twice !== undefined) return refuse(context, `says twice what ${twice} means`);
    if (!read.some(([, meaning]) => meaning === needed)) {
      return refuse(context, `must have a word that means ${needed}, such as ${example}`);
    }
    return Object.fromEntries(read);
  });
}

export function fields<const Fields extends readonly string[]>(known: Fields, example: string) {
  return pairs(known, example).transform((read, context) => {
    const twice = firstTwice(read.map(([, field]) => field));
    if (twice !== undefined) return refuse(context, `says twice where ${twice} is`);
    const noPath = read.find(([where]) => !PATH.test(where));
    if (noPath) return refuse(context, `has ${noPath[0]}, which is not names joined by dots`);
    const paths = read.map(([where, field]): [string, string] => [field, where]);
    return Object.fromEntries(paths) as { readonly [Field in Fields[number]]?: string };
  });
}

/** In major units, as people think of them: EUR=0.50,XOF=100. */
export const amounts = list.transform((parts, context) => {
  const read = new Map<Currency, number>();
  for (const part of parts) {
    const [code = '', decimal = ''] = part.split('=').map((side) => side.trim());
    if (!isCurrency(code)) return refuse(context, `must be amounts of currencies, such as EUR=0.50,XOF=100`);
    if (read.has(code)) return refuse(context, `names ${code} twice`);
    const amount = minorUnitsOf(decimal, code);
    if (amount === undefined) return refuse(context, `has ${part}, which is no positive amount of ${code}`);
    read.set(code, amount);
  }
  return read;
});

/** From and to, both included, in major units: EUR=0.5-5000,XOF=100-2000000. */
export const amountRanges = list.transform((parts, context) => {
  const read = new Map<Currency, AmountRange>();
  for (const part of parts) {
    const [, code = '', least = '', most = ''] = /^([^=]*?)\s*=\s*([^-]*?)\s*-\s*(.*)$/.exec(part) ?? [];
    if (!isCurrency(code)) {
      return refuse(context, 'must be from and to of currencies, such as EUR=0.5-5000,XOF=100-2000000');
    }
    if (read.has(code)) return refuse(context, `names ${code} twice`);
    const minimum = minorUnitsOf(least, code);
    const maximum = minorUnitsOf(most, code);
    if (minimum === undefined || maximum === undefined) {
      return refuse(context, `has ${part}, which is not two positive amounts of ${code}`);
    }
    if (minimum > maximum) return refuse(context, `has ${part}, which begins above its end`);
    read.set(code, { minimum, maximum });
  }
  return read;
});

/**
 * With how many decimals the bank counts: XOF=2,EUR=2. What is wrong is said all at once: who counts in the wrong units
 * loses money, and should not have to find out one fault after the other.
 */
export const amountExponents = list.transform((parts, context) => {
  const read = new Map<Currency, number>();
  const faults: string[] = [];
  for (const part of parts) {
    const [, code = '', digits = ''] = /^([^=:]*?)\s*[=:]\s*(.*)$/.exec(part) ?? [];
    const exponent = /^\d$/.test(digits) ? Number(digits) : NaN;
    if (!isCurrency(code)) faults.push(`has ${part}, which is no currency with its decimals`);
    else if (read.has(code)) faults.push(`names ${code} twice`);
    else if (!(exponent <= LARGEST_EXPONENT)) {
      faults.push(`has ${part}, but ${code} can be counted with 0 to ${LARGEST_EXPONENT} decimals`);
    } else read.set(code, exponent);
  }
  if (faults.length > 0) return refuse(context, `${faults.join('; ')}: it must be such as XOF=2,EUR=2`);
  return read;
});

function minorUnitsOf(decimal: string, code: Currency): number | undefined {
  try {
    const amount = fromDecimal(decimal, code);
    return amount > 0 ? amount : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function refuse(context: z.RefinementCtx, message: string): never {
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
}

function firstTwice(names: readonly string[]): string | undefined {
  return names.find((name, index) => names.indexOf(name) !== index);
}

function inWords(choices: readonly string[]): string {
  return choices.length < 2 ? choices.join() : `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`;
}
