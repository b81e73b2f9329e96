import type { Exchange } from '../providers/current-call.js';
import { maskAddress, maskText, maskValue, REMOVED } from './mask-text.js';
import type { LoggedExchange } from './provider-call-entry.js';
import { type Content, contentUnder } from './what-a-key-holds.js';

/** Of each body. What a provider answers to one question is a few hundred; more is a list, or a page of a proxy's. */
const LONGEST_TEXT = 4_096;

/** More than that don't fit into the longest text; nested deeper, nobody writes. */
const MOST_VALUES = 1_000;
const DEEPEST = 24;

/**
 * What may be kept of an exchange. Bodies are read as JSON or as a form; of anything else only the forms of its words
 * tell what is secret.
 *
 * | under a key of                                                 | is kept                                      |
 * | -------------------------------------------------------------- | -------------------------------------------- |
 * | secrets, PINs and codes, card expiry, addresses                | nothing                                      |
 * | account numbers, IBAN, card numbers                            | the last four                                |
 * | phone numbers                                                  | the last three digits                        |
 * | names of people                                                | their initials                               |
 * | anything else (amounts, statuses, codes, references, messages) | all but what is in the next table            |
 *
 * | wherever it stands                                             | is kept                                      |
 * | -------------------------------------------------------------- | -------------------------------------------- |
 * | keys, client secrets, JWTs by their form; `secret=…` in a text | nothing                                      |
 * | links: to pay, to a receipt, back to the shop                  | the host                                     |
 * | card numbers: 13 to 19 digits that pass Luhn's test            | the last four                                |
 * | e-mail addresses                                               | the first letter, and the domain             |
 * | `+229…`, and in a sentence 8 to 15 digits by themselves        | the last three digits                        |
 *
 * Which keys are which stands in `what-a-key-holds.ts`.
 */
export function redactExchange(exchange: Exchange): LoggedExchange {
  const { method, url, request, status, answer, milliseconds, error } = exchange;
  const tokensAreReferences = /\/(?:checkout-invoice|softpay)\//.test(url);
  const body = (text: string) => new BodyRedaction(tokensAreReferences).redact(text);
  return {
    method,
    url: shorten(maskLong(url, maskAddress), url.length),
    ...(request !== undefined && { request: body(request) }),
    ...(status !== undefined && { status }),
    ...(answer !== undefined && { answer: body(answer) }),
    milliseconds,
    ...(error !== undefined && { error: storable(error) }),
  };
}

/** A text as PostgreSQL takes it: without U+0000, and without half of a surrogate pair. */
export function storable(text: string): string {
  return Buffer.from(text.replaceAll('\0', '\ufffd'), 'utf8').toString('utf8');
}

/** One body; it counts what it has read. */
class BodyRedaction {
  #valuesLeft = MOST_VALUES;

  constructor(private readonly tokensAreReferences: boolean) {}

  redact(body: string): string {
    return shorten(this.#jsonIn(body, 'OPEN', 0) ?? this.#form(body) ?? maskLongText(body), body.length);
  }

  /** Undefined for what is no JSON object, array or string. */
  #jsonIn(text: string, around: Content, depth: number): string | undefined {
    if (!/^\s*[[{"]/.test(text)) return undefined;
    try {
      return JSON.stringify(this.#json(JSON.parse(text), around, depth));
    } catch (error) {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  #json(value: unknown, content: Content, depth: number): unknown {
    if (value === null || typeof value === 'boolean') return value;
    if (content === 'SECRET') return REMOVED;
    if (this.#valuesLeft === 0 || depth > DEEPEST) return '…';
    this.#valuesLeft -= 1;
    if (typeof value === 'number') return maskNumber(value, content);
    if (typeof value === 'string') return this.#text(value, content, depth);
    if (Array.isArray(value)) {
      return this.#asFarAs(value).map((item) => this.#json(item, content, depth + 1));
    }
    const entries = this.#asFarAs(Object.entries(value as object)).map(([key, inner]) => {
      return [maskText(key), this.#json(inner, this.#under(key, content), depth + 1)];
    });
    return Object.fromEntries(entries);
  }

  #text(value: string, content: Content, depth: number): string {
    return this.#jsonIn(value, content, depth + 1) ?? maskLongText(value, content);
  }

  /** `a[b]=c`, with its brackets perhaps percent-encoded. It is kept decoded, to be read by people. */
  #form(body: string): string | undefined {
    if (!/^[^\s=&<>{}"]+=[^\s<>{}"]*$/.test(body)) return undefined;
    const pairs = this.#asFarAs([...new URLSearchParams(body)]).map(([path, value]) => {
      const content = path
        .split(/[[\]]+/)
        .reduce<Content>((around, key) => (key === '' ? around : this.#under(key, around)), 'OPEN');
      const masked = content === 'SECRET' ? REMOVED : this.#text(value, content, 0);
      return `${maskText(path)}=${masked.replace(/[%&]/g, (sign) => encodeURIComponent(sign))}`;
    });
    return pairs.join('&');
  }

  #under(key: string, around: Content): Content {
    return contentUnder(key, { around, tokensAreReferences: this.tokensAreReferences });
  }

  #asFarAs<Item>(items: readonly Item[]): readonly Item[] {
    return items.slice(0, this.#valuesLeft);
  }
}

/** One that has lost digits, as card numbers of 19 do, could neither be tested nor trusted. */
function maskNumber(value: number, content: Content): number | string {
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) return REMOVED;
  // Shorter than a card number.
  if (content === 'OPEN' && Math.abs(value) < 1e12) return value;
  const text = String(value);
  const masked = maskValue(text, content);
  return masked === text ? value : masked;
}

/** What was cut into could be the first half of something that is only known by its whole form. */
const CUT_INTO = 64;

function maskLongText(text: string, content: Content = 'OPEN'): string {
  return maskLong(text, (start) => maskValue(start, content));
}

function maskLong(text: string, mask: (text: string) => string): string {
  if (text.length <= 2 * LONGEST_TEXT) return mask(text);
  return mask(text.slice(0, 2 * LONGEST_TEXT)).slice(0, -CUT_INTO);
}

/** @param fullLength of what it was made of. */
function shorten(text: string, fullLength: number): string {
  if (text.length <= LONGEST_TEXT) return storable(text);
  return storable(`${text.slice(0, LONGEST_TEXT)}… [cut, of ${fullLength} characters]`);
}
