import { randomBytes } from 'node:crypto';

/** Crockford's base 32: no I, L, O or U, so that a reference survives being read over the phone. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** 26 characters of 5 random bits: 130 bits, opaque and not guessable. */
const LENGTH = 26;

export type ReferencePrefix = 'ORD' | 'TXN' | 'RFD' | 'BKG' | 'WHE' | 'CUS' | 'PMT' | 'SUB';

/**
 * The only kind of identifier that leaves the server: `ORD-…` for an order, `TXN-…` for a payment intent, `RFD-…` for a
 * refund, `BKG-…` for a booking, `WHE-…` for an endpoint of webhooks, `CUS-…` for a customer, `PMT-…` for a saved payment
 * method, `SUB-…` for a recurring subscription.
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
