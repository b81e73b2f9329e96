import type { FormValues } from './form-body.js';
import { group, integer, text } from './parameters.js';
import { invalidRequest } from './stripe-error.js';

interface Listed {
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
}

const DEFAULT_LIMIT = 10;
const LARGEST_LIMIT = 100;

/** A page of a list, newest first, as Stripe shapes it. @param show makes of an item what is shown of it. */
export function listOf<Item extends Listed>(
  url: string,
  oldestFirst: readonly Item[],
  form: FormValues,
  show: (item: Item) => object = (item) => item,
): object {
  const limit = integer(form, 'limit') ?? DEFAULT_LIMIT;
  if (limit < 1 || limit > LARGEST_LIMIT) {
    throw invalidRequest('limit must be between 1 and 100.', { param: 'limit' });
  }
  const items = oldestFirst.filter(createdAsAsked(form)).toReversed();
  const startingAfter = text(form, 'starting_after');
  const start = startingAfter === undefined ? 0 : positionAfter(items, startingAfter);
  const data = items.slice(start, start + limit).map(show);
  return { object: 'list', url, has_more: start + limit < items.length, data };
}

/** `created=1` or `created[gte]=1&created[lt]=2`. */
function createdAsAsked(form: FormValues): (item: Listed) => boolean {
  const exactly = integer(form, 'created');
  const range = group(form, 'created') ?? {};
  const [gt, gte, lt, lte] = ['gt', 'gte', 'lt', 'lte'].map((name) => integer(range, name));
  return ({ created }) =>
    (exactly === undefined || created === exactly) &&
    (gt === undefined || created > gt) &&
    (gte === undefined || created >= gte) &&
    (lt === undefined || created < lt) &&
    (lte === undefined || created <= lte);
}

function positionAfter(items: readonly { readonly id: string }[], id: string): number {
  const position = items.findIndex((item) => item.id === id);
  if (position < 0) {
    throw invalidRequest(`No such object: '${id}'`, { code: 'resource_missing', param: 'starting_after' });
  }
  return position + 1;
}
