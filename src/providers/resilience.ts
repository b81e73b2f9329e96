import { GuardedCalls } from './guarded-calls.js';
import { guardedList } from './guarded-list.js';
import type { CallSubject, ProviderOperation } from './provider-call.js';
import type { Provider } from './provider.js';
import { DEFAULTS, type ResilienceOptions, type ResilienceWatchers } from './resilience-options.js';

const OPERATIONS: readonly ProviderOperation[] = [
  'initiate',
  'reserve',
  'verify',
  'cancel',
  'capture',
  'attemptOfCapture',
  'refund',
  'updateAmount',
  'listNotifications',
  'listPayments',
  'readAvailability',
  'createCustomer',
  'beginSetup',
  'listSavedMethods',
  'detachSavedMethod',
  'chargeSavedMethod',
  'beginSubscription',
  'readSubscription',
  'findSubscription',
  'cancelSubscription',
  'readInvoice',
  'listInvoices',
];

type ListOperation = 'listNotifications' | 'listPayments';
type CallOperation = Exclude<ProviderOperation, ListOperation>;
type Given<Operation extends CallOperation> = Parameters<NonNullable<Provider[Operation]>>;

/**
 * The same provider, that never takes longer than it may, is asked again when that is harmless, and is left alone while
 * it does not answer. Only what is `unavailable` is repeated: once a try's outcome is unknown, so is the call's. What it
 * can't do, it still can't; and what calls nobody (notifications) is as it was.
 */
export function resilient(provider: Provider, options: ResilienceOptions & ResilienceWatchers): Provider {
  const operations = OPERATIONS.filter((operation) => provider[operation] !== undefined);
  const calls = new GuardedCalls(provider.name, operations, { ...DEFAULTS, ...options }, options);
  const guard = <Operation extends CallOperation>(
    operation: Operation,
    subjectOf: (...given: Given<Operation>) => CallSubject,
  ) => guarded(calls, provider, operation, subjectOf);
  const attempt = ({ reference }: { readonly reference: string }) => ({ attemptReference: reference });
  const { listNotifications, listPayments } = provider;
  return {
    ...provider,
    // They may change while the provider is in use.
    get capabilities() {
      return provider.capabilities;
    },
    ...guard('initiate', attempt),
    ...guard('reserve', attempt),
    ...guard('verify', attempt),
    ...guard('cancel', attempt),
    ...guard('capture', attempt),
    ...guard('attemptOfCapture', () => ({})),
    ...guard('updateAmount', attempt),
    ...guard('refund', (toMake) => ({ ...attempt(toMake.attempt), refundReference: toMake.reference })),
    ...guard('readAvailability', () => ({})),
    ...guard('createCustomer', () => ({})),
    ...guard('beginSetup', () => ({})),
    ...guard('listSavedMethods', () => ({})),
    ...guard('detachSavedMethod', () => ({})),
    ...guard('chargeSavedMethod', attempt),
    ...guard('beginSubscription', () => ({})),
    ...guard('readSubscription', () => ({})),
    ...guard('findSubscription', () => ({})),
    ...guard('cancelSubscription', () => ({})),
    ...guard('readInvoice', () => ({})),
    ...guard('listInvoices', () => ({})),
    ...(listNotifications && {
      listNotifications: (since) => guardedList(calls, 'listNotifications', () => listNotifications(since)),
    }),
    ...(listPayments && {
      listPayments: (since, until) => guardedList(calls, 'listPayments', () => listPayments(since, until)),
    }),
  };
}

/** Nothing where the provider has no such thing: callers look for that. */
function guarded<Operation extends CallOperation>(
  calls: GuardedCalls,
  provider: Provider,
  operation: Operation,
  subjectOf: (...given: Given<Operation>) => CallSubject,
): Pick<Provider, Operation> {
  const ask = provider[operation] as ((...given: Given<Operation>) => Promise<unknown>) | undefined;
  const guard =
    ask && ((...given: Given<Operation>) => calls.call(operation, subjectOf(...given), () => ask(...given)));
  return (guard ? { [operation]: guard } : {}) as Pick<Provider, Operation>;
}
