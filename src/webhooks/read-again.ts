import type { EntityManager } from 'typeorm';
import { asInitiated } from '../payments/initiate-attempt.js';
import { loadPaymentOfProvider } from '../payments/loaded-payment.js';
import { attemptReference as attemptReferenceOf } from '../payments/payment-attempt.js';
import { askAndNote } from '../payments/note-unreadable-answer.js';
import type { PaymentDependencies } from '../payments/payment-dependencies.js';
import { findAttempt, isMoneyToProve } from '../payments/attempt-of-event.js';
import { ProviderFailure, type Provider, type ProviderEvent } from '../providers/provider.js';
import type { ReadConcern } from './follow-concern.js';
import { bodyToRead } from './kept-body.js';
import { NO_ATTEMPT_YET } from './new-webhook-event.js';
import type { WebhookEvent } from './webhook-event.js';

export interface ReadNotification {
  readonly provider: Provider;
  readonly events: readonly ProviderEvent[];
}

/** Read again, it turns out to be nothing for us. */
export interface IgnoredNotification {
  readonly ignored: string;
}

type ReadingDependencies = Pick<PaymentDependencies, 'wakeRelay'>;

/**
 * What a kept notification says. Of one that has proven too little, what the provider itself says when it is asked.
 * A text says why it can't be told, or not now.
 * @param dependencies null: nothing is to be written, not even that an answer could not be read.
 */
export async function readAgain(
  manager: EntityManager,
  dependencies: ReadingDependencies | null,
  providers: ReadonlyMap<string, Provider>,
  event: WebhookEvent,
): Promise<ReadNotification | ReadConcern | IgnoredNotification | string> {
  const { provider: name, headers, proof } = event;
  const provider = providers.get(name);
  if (!provider) return `the provider ${name} is not configured any more`;
  if (event.payload === '' && event.rawBody === null) {
    return 'its body is not kept any more (WEBHOOK_BODY_DAYS)';
  }
  const parsed = provider.readKeptNotification(bodyToRead(event), headers);
  if (parsed.verdict === 'concerns') {
    return { provider, concern: parsed.concern, markedAsOurs: parsed.markedAsOurs };
  }
  if (parsed.verdict === 'ignored') return { ignored: parsed.reason };
  if (parsed.verdict === 'malformed') return `read again, it is still not understood: ${parsed.detail}`;
  if (parsed.verdict !== 'accepted') return `read again, it is ${parsed.verdict}`;
  const isBelieved = proof === 'SIGNED' && !(await hasMoneyToProve(manager, provider, parsed.events));
  return isBelieved
    ? { provider, events: parsed.events }
    : ask(manager, dependencies, provider, parsed.events);
}

/** Signed, and tied to its attempt by our mark alone. */
async function hasMoneyToProve(
  manager: EntityManager,
  provider: Provider,
  events: readonly ProviderEvent[],
): Promise<boolean> {
  const [first] = events;
  const payment = first ? await loadPaymentOfProvider(manager, provider.name, first) : null;
  return payment !== null && events.some((event) => isMoneyToProve(payment, event, provider.name));
}

/**
 * About the very thing that the hint names, even where we hold another reference, or have given the attempt up. But a
 * hint can join any payment with any reference: of another than the attempt's own, only money counts, which the provider
 * must know to be this attempt's.
 */
async function ask(
  manager: EntityManager,
  dependencies: ReadingDependencies | null,
  provider: Provider,
  [hint]: readonly ProviderEvent[],
): Promise<ReadNotification | string> {
  const payment = hint && (await loadPaymentOfProvider(manager, provider.name, hint));
  const attempt = payment && findAttempt(payment, hint, provider.name);
  if (!attempt) return NO_ATTEMPT_YET;
  const own = attempt.providerReference;
  const named = provider.keyIsReference ? own : (hint.providerReference ?? own);
  if (named === null) return 'a hint about an attempt that its provider has not answered yet';
  const verify = (providerReference: string) => {
    const answer = () => provider.verify(asInitiated(payment, attempt, providerReference));
    return dependencies ? askAndNote(manager, dependencies, payment, attempt, answer) : answer();
  };
  try {
    let events = await verify(named);
    if (own !== null && own !== named && !events.some(isMoney)) events = await verify(own);
    const attemptReference = attemptReferenceOf(payment.intent.reference, attempt.number);
    return { provider, events: events.map((event) => ({ ...event, attemptReference, isAnswer: true })) };
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error;
    return `a hint, and the provider did not say: ${error.message}`;
  }
}

function isMoney({ outcome }: ProviderEvent): boolean {
  return outcome.kind === 'paid';
}
