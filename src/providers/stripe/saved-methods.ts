import type Stripe from 'stripe';
import { ProviderFailure, type InitiatedAttempt, type NextAction, type ProviderEvent } from '../provider.js';
import type {
  CustomerToCreate,
  SavedCard,
  SavedMethodCalls,
  SavedMethodCharge,
  SetupToBegin,
} from '../saved-methods.js';
import { markCustomer } from './attempt-mark.js';
import { everyItem, type StripeClient } from './client.js';
import { failure, isRefusedByStripe } from './failures.js';
import { paymentIntentEvent } from './outcomes.js';

/** What is listed of a customer, so nothing else may be saved: it could be neither seen nor taken away. */
export const SAVED_TYPES: Stripe.PaymentIntentCreateParams.AllowedPaymentMethodType[] &
  Stripe.SetupIntentCreateParams.AllowedPaymentMethodType[] = ['card'];

export function savedMethodCalls(client: StripeClient, publishableKey: string): SavedMethodCalls {
  return {
    createCustomer: (customer) => createCustomer(client, customer),
    beginSetup: (setup) => beginSetup(client, setup, publishableKey),
    listSavedMethods: (customerReference) => listCards(client, customerReference),
    detachSavedMethod: (methodReference) => detach(client, methodReference),
    chargeSavedMethod: (attempt, charge) => chargeCard(client, attempt, charge),
  };
}

async function createCustomer(client: StripeClient, customer: CustomerToCreate): Promise<string> {
  const { reference, email, name, locale, idempotencyKey } = customer;
  const params: Stripe.CustomerCreateParams = {
    metadata: markCustomer(reference),
    ...(email !== undefined && { email }),
    ...(name !== undefined && { name }),
    ...(locale !== undefined && { preferred_locales: [locale] }),
  };
  const options = { idempotencyKey: `${idempotencyKey}/create` };
  return (await client.call((stripe) => stripe.customers.create(params, options))).id;
}

async function beginSetup(
  client: StripeClient,
  { customerReference, customer, idempotencyKey }: SetupToBegin,
  publishableKey: string,
): Promise<NextAction> {
  const params: Stripe.SetupIntentCreateParams = {
    customer: customerReference,
    automatic_payment_methods: { enabled: true },
    allowed_payment_method_types: SAVED_TYPES,
    usage: 'off_session',
    metadata: markCustomer(customer),
  };
  const options = { idempotencyKey: `${idempotencyKey}/setup` };
  const setup = await client.call((stripe) => stripe.setupIntents.create(params, options));
  if (setup.client_secret === null) throw failure('rejected', 'CLIENT_SECRET_MISSING');
  return { type: 'ConfirmWithStripe', clientSecret: setup.client_secret, publishableKey };
}

async function listCards(client: StripeClient, customer: string): Promise<readonly SavedCard[]> {
  const cards: SavedCard[] = [];
  const pages = everyItem(client, (stripe, page) =>
    stripe.paymentMethods.list({ ...page, customer, type: 'card' }),
  );
  for await (const { id, card } of pages) if (card) cards.push(savedCard(id, card));
  return cards;
}

function savedCard(methodReference: string, card: Stripe.PaymentMethod.Card): SavedCard {
  const { brand, last4, exp_month: expiryMonth, exp_year: expiryYear } = card;
  return { methodReference, brand, last4, expiryMonth, expiryYear };
}

/** Stripe refuses to detach what is attached to nobody, and what it doesn't have: then it is as it should be. */
async function detach(client: StripeClient, id: string): Promise<void> {
  try {
    await client.call((stripe) => stripe.paymentMethods.detach(id));
  } catch (error) {
    if (error instanceof ProviderFailure && error.missing !== undefined) return;
    if (!isRefusedByStripe(error)) throw error;
    const { customer } = await client.call((stripe) => stripe.paymentMethods.retrieve(id));
    if (customer !== null) throw error;
  }
}

/**
 * A PaymentIntent can succeed once, so however often it is confirmed, nothing is charged twice; the key is for those who
 * ask at the same time. A decline is Stripe's error, and its payment's state.
 */
async function chargeCard(
  client: StripeClient,
  { providerReference, idempotencyKey }: InitiatedAttempt,
  { methodReference, offSession }: SavedMethodCharge,
): Promise<ProviderEvent> {
  const params: Stripe.PaymentIntentConfirmParams = {
    payment_method: methodReference,
    // Of a payer who is there, their bank's question is asked by Stripe.js.
    ...(offSession ? { off_session: true } : { use_stripe_sdk: true }),
  };
  const options = { idempotencyKey: `${idempotencyKey}/confirm` };
  try {
    return paymentIntentEvent(
      await client.call((stripe) => stripe.paymentIntents.confirm(providerReference, params, options)),
    );
  } catch (error) {
    if (!isDecision(error)) throw error;
    const event = paymentIntentEvent(
      await client.call((stripe) => stripe.paymentIntents.retrieve(providerReference)),
    );
    // As it was before: it is not the payment's state that Stripe objects to, but what it was to be charged with.
    if (event.outcome.kind === 'pending') throw error;
    return event;
  }
}

function isDecision(error: unknown): boolean {
  return (error instanceof ProviderFailure && error.kind === 'declined') || isRefusedByStripe(error);
}
