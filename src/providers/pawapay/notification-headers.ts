import type { NotificationHeaders, ParsedNotification } from '../provider.js';

export type Refusal = Extract<ParsedNotification, { verdict: 'refused' }>;

/** What belongs to a callback's signature, beside what else it may cover. */
export const NOTIFICATION_HEADERS: readonly string[] = [
  'content-digest',
  'content-type',
  'signature',
  'signature-date',
  'signature-input',
];

export function refusal(reason: Refusal['reason'], detail: string): Refusal {
  return { verdict: 'refused', reason, detail };
}

/** The one value, exactly as it was received; undefined where there is none, or more than one. */
export function headerOf(headers: NotificationHeaders, name: string): string | undefined {
  const [value, ...others] = Object.entries(headers)
    .filter(([key]) => key.toLowerCase() === name)
    .flatMap(([, values]) => values ?? []);
  return others.length === 0 ? value : undefined;
}

export function hasHeader(headers: NotificationHeaders, name: string): boolean {
  return Object.entries(headers).some(([key, value]) => key.toLowerCase() === name && value !== undefined);
}
