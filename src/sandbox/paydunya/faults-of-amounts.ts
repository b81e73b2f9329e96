import { BoundedMap } from '../bounded-map.js';
import type { HttpFault } from '../http-fault.js';
import { magicOf } from './magic-amounts.js';

const MAXIMUM_ATTEMPTS = 100_000;

/** What goes wrong with the creation of invoices of magic amounts: once for each attempt, so that trying again helps. */
export class FaultsOfAmounts {
  readonly #struck = new BoundedMap<string, true>(MAXIMUM_ATTEMPTS);

  /** @param body of a request for an invoice, as it came. */
  take(body: string): HttpFault | undefined {
    const { amount, attempt } = readAmountAndAttempt(body);
    const { creating } = magicOf(amount);
    if (typeof creating !== 'object') return undefined;
    if (typeof attempt === 'string') {
      if (this.#struck.has(attempt)) return undefined;
      this.#struck.set(attempt, true);
    }
    return creating;
  }
}

function readAmountAndAttempt(body: string): { amount?: unknown; attempt?: unknown } {
  try {
    const json = JSON.parse(body) as {
      invoice?: { total_amount?: unknown } | null;
      custom_data?: { attempt?: unknown } | null;
    } | null;
    return { amount: json?.invoice?.total_amount, attempt: json?.custom_data?.attempt };
  } catch (error) {
    // Whoever answers the request says so.
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
