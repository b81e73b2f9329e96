import { readdirSync, readFileSync } from 'node:fs';
import { newEventId } from './notifying-provider.js';

const FOLDER = new URL('../fixtures/stripe/', import.meta.url);

/** Bodies of Stripe's events, shaped as real ones are: one file each, by type and, where it is an old one, API version. */
export const STRIPE_FIXTURES: readonly string[] = readdirSync(FOLDER).map((file) =>
  file.replace(/\.json$/, ''),
);

export interface FixtureValues {
  readonly event?: string;
  /** The PaymentIntent that the event is about, `pi_…`. */
  readonly paymentIntent?: string;
  /** Our mark on it, `TXN-…-1`. */
  readonly attempt?: string;
}

/** @param changes to the envelope of the event. */
export function stripeFixture(name: string, values: FixtureValues = {}, changes: object = {}): string {
  const { event = newEventId(), paymentIntent = 'pi_3SIMofNobody', attempt = 'TXN-OFNOBODY-1' } = values;
  const text = readFileSync(new URL(`${name}.json`, FOLDER), 'utf8')
    .replaceAll('{EVENT}', event)
    // Each payment has objects of its own.
    .replaceAll('SIMfixture', `SIM${paymentIntent.slice(-12)}`)
    .replaceAll('{PAYMENT_INTENT}', paymentIntent)
    .replaceAll('{ATTEMPT}', attempt);
  return JSON.stringify({ ...JSON.parse(text), ...changes });
}
