import { createHash } from 'node:crypto';
import { HttpProblem } from '../http-exchange.js';

/**
 * How gateways write an amount, of which the contract has "15000" and "10.99". All but the last two can mean only one
 * amount.
 */
const AMOUNT_STYLES = {
  NUMBER: (decimal: string) => Number(decimal),
  TWO_DECIMALS: (decimal: string) => (decimal.includes('.') ? decimal : `${decimal}.00`),
  SPACES: (decimal: string) => grouped(decimal, ' '),
  NO_BREAK_SPACES: (decimal: string) => grouped(decimal, '\u00a0'),
  DECIMAL_COMMA: (decimal: string) => (decimal.includes('.') ? decimal.replace('.', ',') : `${decimal},00`),
  POINTS_AND_DECIMAL_COMMA: (decimal: string) => {
    const [whole = '', decimals = '00'] = decimal.split('.');
    return `${grouped(whole, '.')},${decimals}`;
  },
  PLUS: (decimal: string) => `+${decimal}`,
  WITH_CURRENCY: (decimal: string, currency: string) => `${decimal} ${currency}`,
  /** "15,000": fifteen, or fifteen thousand. */
  THOUSANDS_COMMA: (decimal: string) => grouped(decimal.split('.')[0]!, ','),
  WORDS: () => 'voir relevé',
} as const;

export type AmountStyle = keyof typeof AMOUNT_STYLES;

/** What a bank writes otherwise than its contract says; with nothing in it, it keeps to it. */
export interface BankWriting {
  readonly amount?: AmountStyle;
  /** Currencies, statuses and types in small letters, with a space behind. */
  readonly smallLetters?: boolean;
  /** The ids of events and transfers: whole numbers of 19 digits, or texts of 300 characters. */
  readonly ids?: 'NUMBERS' | 'LONG';
  /** All that is told of one payment has one event id: the payment's. */
  readonly eventIdOfPayment?: boolean;
}

type Document = Readonly<Record<string, unknown>>;

const AMOUNTS = new Set(['amount', 'paid_amount', 'refunded_amount']);
const WORDS = new Set(['currency', 'status', 'type']);
const IDS = new Set(['transfer_id']);

/** Stands for a number in JSON that no JavaScript number holds. */
const LONG_NUMBER = /"number:(\d+)"/g;

/** The bank's hand: translates documents on their way out, in answers and in notifications. */
export class BankHand {
  #writing: BankWriting = {};

  /** From now on. @throws {HttpProblem} for a style that there isn't. */
  change(writing: BankWriting): void {
    const { amount, ids } = writing;
    if (amount !== undefined && !Object.hasOwn(AMOUNT_STYLES, amount))
      throw new HttpProblem(422, 'bad_style');
    if (ids !== undefined && ids !== 'NUMBERS' && ids !== 'LONG') throw new HttpProblem(422, 'bad_style');
    this.#writing = writing;
  }

  answer(document: unknown): unknown {
    return this.#document(document, false);
  }

  /** The body of a notification, as text. */
  notification(document: unknown): string {
    const written = this.#document(document, true);
    return JSON.stringify(written).replace(LONG_NUMBER, '$1');
  }

  #document(value: unknown, mayHaveLongNumbers: boolean): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#document(item, mayHaveLongNumbers));
    if (typeof value !== 'object' || value === null) return value;
    const document = value as Document;
    const entries = Object.entries(document).map(([name, field]) => [
      name,
      typeof field === 'string'
        ? this.#field(document, name, field, mayHaveLongNumbers)
        : this.#document(field, mayHaveLongNumbers),
    ]);
    return Object.fromEntries(entries);
  }

  #field(document: Document, name: string, text: string, mayHaveLongNumbers: boolean): unknown {
    const { amount, smallLetters, eventIdOfPayment } = this.#writing;
    if (amount && AMOUNTS.has(name)) return AMOUNT_STYLES[amount](text, String(document['currency']));
    if (smallLetters && WORDS.has(name)) return `${text.toLowerCase()} `;
    const isEvent = name === 'id' && 'data' in document;
    if (isEvent && eventIdOfPayment) return (document['data'] as Document)['payment_id'];
    return isEvent || IDS.has(name) ? this.#id(text, mayHaveLongNumbers) : text;
  }

  /** An id as its API writes it, and so as it is given back to the bank. */
  written(id: string): string {
    return this.#id(id, false);
  }

  #id(id: string, mayHaveLongNumbers: boolean): string {
    const { ids } = this.#writing;
    if (ids === 'LONG') return id.padEnd(300, '.long');
    if (ids !== 'NUMBERS') return id;
    const digits = `1${BigInt(`0x${createHash('sha256').update(id).digest('hex')}`)
      .toString()
      .slice(0, 18)}`;
    return mayHaveLongNumbers ? `number:${digits}` : digits;
  }
}

/** 15000 → "15 000", and what is behind the point as it is. */
function grouped(decimal: string, mark: string): string {
  return decimal.replace(/\B(?=(\d{3})+(?!\d))(?<!\.\d*)/g, mark);
}
