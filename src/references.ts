import { randomBytes } from 'node:crypto';

/** Crockford's base 32: no I, L, O or U, so that a reference survives being read over the phone. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** 26 characters of 5 random bits: 130 bits, opaque and not guessable. */
const LENGTH = 26;

export type ReferencePrefix = 'ORD' | 'TXN' | 'RFD' | 'BKG' | 'WHE' | 'CUS' | 'PMT' | 'SUB' | 'RRQ';

/**
 * The only kind of identifier that leaves the server: `ORD-…` for an order, `TXN-…` for a payment intent, `RFD-…` for a
 * refund, `BKG-…` for a booking, `WHE-…` for an endpoint of webhooks, `CUS-…` for a customer, `PMT-…` for a saved payment
 * method, `SUB-…` for a recurring subscription, `RRQ-…` for a request for a refund.
 */
export function newReference(prefix: ReferencePrefix): string {
  return `${prefix}-${opaqueCharacters()}`;
}

/** `msg_…`, as the Standard Webhooks specification writes the id of a message. */
export function newMessageId(): string {
  return `msg_${opaqueCharacters()}`;
}

function opaqueCharacters(): string {
  let characters = '';
  for (const byte of randomBytes(LENGTH)) characters += ALPHABET[byte & 31];
  return characters;
}

/** How a person or another system may write an attempt's reference: in any case, with spaces or dashes where it likes. */
const WRITTEN_ATTEMPT_REFERENCE =
  /(?<![0-9A-Z])TXN[\s\-–_]*((?:[0-9A-Z][\s\-–_]*){26})([1-9]\d{0,5})(?![0-9A-Z])/g;

/**
 * The one reference of an attempt (`TXN-…-1`) that is written in a text, as we write it: "txn 01k8q5… 1" is it as well, and
 * so is one with an O for its 0 or an I for its 1. Undefined where there is none, or several. Whether there is such an
 * attempt is another question.
 */
export function recogniseAttemptReference(text: string): string | undefined {
  const found = new Set<string>();
  for (const [, characters = '', number] of text.toUpperCase().matchAll(WRITTEN_ATTEMPT_REFERENCE)) {
    const opaque = characters
      .replace(/[\s\-–_]/g, '')
      .replaceAll('O', '0')
      .replace(/[IL]/g, '1');
    if ([...opaque].every((character) => ALPHABET.includes(character))) found.add(`TXN-${opaque}-${number}`);
  }
  return found.size === 1 ? [...found][0] : undefined;
}
