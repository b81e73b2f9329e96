import { createHash } from 'node:crypto';
import type { ParsedNotification, ProviderEvent } from '../providers/provider.js';

export type KeptNotification = Extract<ParsedNotification, { verdict: 'accepted' | 'concerns' | 'ignored' }>;

/**
 * Tells notifications that have the same id from each other, by what they say. Taken of what was understood rather than of
 * the bytes: a repeated notification may count its tries, or come from a list that orders its fields otherwise.
 */
export function contentDigestOf(parsed: KeptNotification): string {
  switch (parsed.verdict) {
    case 'accepted':
      // Of a hint nothing counts but whom it is about: the rest is asked for.
      return digestOf(parsed.proof === 'SIGNED' ? parsed.events : parsed.events.map(withoutOutcome));
    case 'concerns':
      return digestOf(parsed.concern);
    case 'ignored':
      return digestOf({ ignored: parsed.type });
  }
}

/** By both a notification is known again, however it comes. */
export interface NotificationIdentity {
  readonly eventId: string;
  readonly contentDigest: string;
}

/** Undefined for one of which nothing is kept. */
export function identityOf(parsed: ParsedNotification, body: Buffer): NotificationIdentity | undefined {
  if (parsed.verdict === 'refused') return undefined;
  if (parsed.verdict !== 'malformed') {
    return { eventId: parsed.eventId, contentDigest: contentDigestOf(parsed) };
  }
  return parsed.keep && { eventId: parsed.keep.eventId, contentDigest: digestOfBytes(body) };
}

/** Of what could not be understood, only the bytes can be compared. */
export function digestOfBytes(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function withoutOutcome({ outcome: _, ...about }: ProviderEvent): object {
  return about;
}

function digestOf(content: object): string {
  return createHash('sha256').update(canonicalJson(content)).digest('hex');
}

/** With the names of each object in one order, so that it does not matter in which order a reader has put them. */
function canonicalJson(content: object): string {
  return JSON.stringify(content, (_name, value: unknown) =>
    isPlainObject(value)
      ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
      : value,
  );
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
