import { type Currency, fromDecimal, isCurrency } from '../../money.js';
import { decimalsOf } from './operators.js';
import { badInput, rejection } from './pawapay-problem.js';

export type Fields = Readonly<Record<string, unknown>>;

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;
const AMOUNT = /^(0|[1-9]\d*)(\.\d{1,2})?$/;
const LONGEST_AMOUNT = 23;
const MOST_METADATA = 10;

export function allowOnly(fields: Fields, known: readonly string[]): void {
  const unknown = Object.keys(fields).find((field) => !known.includes(field));
  if (unknown !== undefined) throw badInput('UNSUPPORTED_PARAMETER', `Unsupported parameter: ${unknown}`);
}

export function readId(fields: Fields, field: string): string {
  return requireText(fields, field, UUID_V4);
}

export function readText(fields: Fields, field: string, pattern: RegExp): string | undefined {
  const value = fields[field];
  if (value === undefined) return undefined;
  if (typeof value === 'string' && pattern.test(value)) return value;
  throw badInput('INVALID_PARAMETER', `Invalid value of ${field}`);
}

export function requireText(fields: Fields, field: string, pattern: RegExp): string {
  const value = readText(fields, field, pattern);
  if (value === undefined) throw badInput('MISSING_PARAMETER', `Missing parameter: ${field}`);
  return value;
}

export function readUrl(fields: Fields, field: string): string | undefined {
  const value = readText(fields, field, /^https?:\/\/./);
  if (value === undefined || URL.canParse(value)) return value;
  throw badInput('INVALID_PARAMETER', `Invalid value of ${field}`);
}

export function requireObject(fields: Fields, field: string): Fields {
  const value = readObject(fields, field);
  if (value === undefined) throw badInput('MISSING_PARAMETER', `Missing parameter: ${field}`);
  return value;
}

export function readObject(fields: Fields, field: string): Fields | undefined {
  const value = fields[field];
  if (value === undefined || isObject(value)) return value;
  throw badInput('INVALID_PARAMETER', `Invalid value of ${field}`);
}

/** What the payer reads: letters, digits and spaces. */
export function readCustomerMessage(fields: Fields): string | undefined {
  return readText(fields, 'customerMessage', /^[A-Za-z0-9 ]{4,22}$/);
}

/** Sent as a list of single pairs, `isPII` aside; given back as one object. */
export function readMetadata({ metadata }: Fields): Record<string, string> | undefined {
  if (metadata === undefined) return undefined;
  if (!Array.isArray(metadata) || metadata.length > MOST_METADATA) throw badMetadata();
  const found = new Map<string, string>();
  for (const [name, value] of metadata.map(readPair)) {
    if (found.has(name)) throw badInput('DUPLICATE_METADATA_FIELD', `Twice in the metadata: ${name}`);
    found.set(name, value);
  }
  return Object.fromEntries(found);
}

/** Minor units. @throws {PawaPayProblem} INVALID_AMOUNT. */
export function readAmount(decimal: string, currency: Currency): number {
  const isAmount = AMOUNT.test(decimal) && decimal.length <= LONGEST_AMOUNT;
  const decimals = decimal.split('.')[1]?.length ?? 0;
  if (!isAmount || decimals > decimalsOf(currency) || Number(decimal) === 0) throw invalidAmount(decimal);
  try {
    return fromDecimal(decimal, currency);
  } catch (error) {
    if (error instanceof RangeError) throw invalidAmount(decimal);
    throw error;
  }
}

export function checkCurrency(currency: string, allowed: readonly Currency[]): Currency {
  if (isCurrency(currency) && allowed.includes(currency)) return currency;
  throw rejection('INVALID_CURRENCY', `The currency ${currency} is not supported here`);
}

function readPair(entry: unknown): readonly [string, string] {
  if (!isObject(entry)) throw badMetadata();
  const { isPII, ...pair } = entry;
  const [first, ...others] = Object.entries(pair);
  if (first === undefined || others.length > 0) throw badMetadata();
  const [name, value] = first;
  if ((isPII !== undefined && typeof isPII !== 'boolean') || typeof value !== 'string') throw badMetadata();
  return [name, value];
}

function badMetadata(): Error {
  return badInput('INVALID_PARAMETER', 'Invalid value of metadata');
}

function invalidAmount(amount: string): Error {
  return rejection('INVALID_AMOUNT', `The amount ${amount} is not supported here`);
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
