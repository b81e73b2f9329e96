/** What a field is asked with; a value is undefined where it can't be known. */
export type FieldArguments = Readonly<Record<string, unknown>>;

/** How many members a list can have. */
type ListSize = number | ((args: FieldArguments) => number);

const MOST_DAYS = 366;
const LARGEST_PAGE = 200;
const DAY_MILLISECONDS = 24 * 60 * 60 * 1_000;

/**
 * For the price of a query: how long each list of the schema can get, and no shorter than real ones are. A list that is
 * not here fails a test.
 */
export const LIST_SIZES: Readonly<Record<string, ListSize>> = {
  'ApproveOnPhone.instructions': 1,
  'Order.lines': 20,
  'Order.paymentIntents': 10,
  'PaymentIntent.attempts': 10,
  'PaymentIntent.disputes': 10,
  'PaymentIntent.refunds': 10,
  'PaymentOption.needs': 1,
  'PaymentOption.operators': 20,
  'PaymentOption.whyNot': 1,
  'ProviderCall.exchanges': 10,
  'ProviderHealth.operations': 10,
  'ProviderHealth.operators': 50,
  'Query.freePlaces': daysBetween,
  'Query.jobs': pageSize,
  'Query.paymentOptions': 20,
  'Query.paymentTimeline': 100,
  'Query.products': 200,
  'Query.providerHealth': 10,
  'Query.recurringSubscriptions': 20,
  'Query.refundRequests': pageSize,
  'Query.savedPaymentMethods': 20,
  'Query.webhookEndpoints': 20,
  'RecurringSubscription.lines': 20,
  'RecurringSubscription.orders': 20,
  'WebhookDelivery.tries': 20,
  'WebhookEndpoint.types': 1,
  'WebhookReplay.changes': 10,
};

/** Of a list that is not in the table, such as those of introspection. */
const OTHER_LIST_SIZE = 10;

/** @param page of the connection that the list stands in, if it does. */
export function listSizeOf(name: string, args: FieldArguments, page: number | null): number {
  if (page !== null && name.endsWith('.edges')) return page;
  const size = LIST_SIZES[name] ?? OTHER_LIST_SIZE;
  return typeof size === 'number' ? size : size(args);
}

/** How many a page can have; what can't be, the resolver refuses. */
export function pageSize({ first }: FieldArguments): number {
  return within(typeof first === 'number' ? first : LARGEST_PAGE, LARGEST_PAGE);
}

function daysBetween({ from, to }: FieldArguments): number {
  const days = (Date.parse(String(to)) - Date.parse(String(from))) / DAY_MILLISECONDS + 1;
  return within(Number.isNaN(days) ? MOST_DAYS : days, MOST_DAYS);
}

function within(given: number, most: number): number {
  return Math.min(Math.max(1, Math.ceil(given)), most);
}
