import type { FormValues } from './form-body.js';
import { integer, text } from './parameters.js';
import { invalidRequest } from './stripe-error.js';

const DEFAULT_LIMIT = 10;
const LARGEST_LIMIT = 100;

/** A page of a list, newest first, as Stripe shapes it. */
export function listOf<Item extends { readonly id: string }>(
  url: string,
  oldestFirst: readonly Item[],
  form: FormValues,
): object {
  const limit = integer(form, 'limit') ?? DEFAULT_LIMIT;
  if (limit < 1 || limit > LARGEST_LIMIT) {
    throw invalidRequest('limit must be between 1 and 100.', { param: 'limit' });
  }
  const items = oldestFirst.toReversed();
  const startingAfter = text(form, 'starting_after');
  const start = startingAfter === undefined ? 0 : positionAfter(items, startingAfter);
  const data = items.slice(start, start + limit);
  return { object: 'list', url, has_more: start + limit < items.length, data };
}

function positionAfter(items: readonly { readonly id: string }[], id: string): number {
  const position = items.findIndex((item) => item.id === id);
  if (position < 0) {
    throw invalidRequest(`No such object: '${id}'`, { code: 'resource_missing', param: 'starting_after' });
  }
  return position + 1;
}
