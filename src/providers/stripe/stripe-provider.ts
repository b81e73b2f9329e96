import type { InitiatedAttempt, PromptProvider, ProviderEvent } from '../provider.js';
import { createStripeClient, type StripeClient, type StripeClientOptions } from './client.js';
import { STRIPE_CURRENCIES, stripeLimits } from './currency.js';
import { modeOfKey, type StripeOwner } from './event-owner.js';
import { failure, STRIPE } from './failures.js';
import { initiateEmbedded, initiateRedirect, stripeAmountOrRejection } from './initiate.js';
import { listNotifications, listPayments } from './lists.js';
import { parseStripeNotification, readStripeNotification, withoutClientSecrets } from './notifications.js';
import { paymentIntentEvent } from './outcomes.js';
import { attemptOfPaymentIntent, cancel, capture, isCheckoutSession, verify } from './payment.js';
import { recurringCalls } from './recurring.js';
import { makeRefund } from './refunds.js';
import { savedMethodCalls } from './saved-methods.js';

export interface StripeProviderOptions extends StripeClientOptions {
  /** Given to the payer's browser. */
  readonly publishableKey: string;
  /** Of the webhook endpoint, `whsec_…`. Several while one is being rolled: any of them will do. */
  readonly webhookSecrets: readonly string[];
  /** Our own account, `acct_…`, where the endpoint is one that names accounts (Connect, an organisation). */
  readonly account?: string;
}

/**
 * Cards through Stripe. EMBEDDED is a PaymentIntent (`pi_…`) for Stripe's Payment Element in the frontend's own page;
 * REDIRECT is a Checkout Session (`cs_…`) on a page of Stripe's.
 */
export function createStripeProvider(options: StripeProviderOptions): PromptProvider {
  if (options.webhookSecrets.length === 0 || options.webhookSecrets.some((secret) => secret.trim() === '')) {
    throw new Error('Stripe needs at least one webhook secret, and none of them may be blank');
  }
  const client = createStripeClient(options);
  const owner: StripeOwner = { account: options.account, mode: modeOfKey(options.secretKey) };
  return {
    name: STRIPE,
    capabilities: {
      ways: [
        { method: 'CARD', presentation: 'EMBEDDED' },
        { method: 'CARD', presentation: 'REDIRECT' },
      ],
      currencies: STRIPE_CURRENCIES,
      limits: stripeLimits,
      webhookProof: 'SIGNED',
      partialRefunds: true,
    },
    notificationHeaders: ['stripe-signature'],
    refusalStatus: 400,
    initiate: (attempt) =>
      attempt.presentation === 'REDIRECT'
        ? initiateRedirect(client, attempt)
        : initiateEmbedded(client, attempt, options.publishableKey),
    verify: (attempt) => verify(client, attempt),
    cancel: (attempt) => cancel(client, attempt),
    capture: (attempt, amount) => capture(client, attempt, amount),
    attemptOfCapture: (paymentIntentId) => attemptOfPaymentIntent(client, paymentIntentId),
    refund: (toMake) => makeRefund(client, toMake),
    listNotifications: (since) => listNotifications(client, since),
    listPayments: (since, until) => listPayments(client, since, until),
    updateAmount: (attempt, amount) => updateAmount(client, attempt, amount),
    ...savedMethodCalls(client, options.publishableKey),
    ...recurringCalls(client, options.publishableKey),
    parseNotification: (rawBody, headers, receivedAt) =>
      parseStripeNotification(rawBody, headers, receivedAt, options.webhookSecrets, owner),
    readKeptNotification: (body) => readStripeNotification(body.toString('utf8'), owner),
    keepableBody: withoutClientSecrets,
  };
}

/**
 * Without an idempotency key of ours, as in `cancel`: it sets an amount, so to do it twice is harmless. But with a key
 * for each amount, going from 10 to 20 and back to 10 would repeat the first answer and leave Stripe at 20.
 */
async function updateAmount(
  client: StripeClient,
  { providerReference, currency }: InitiatedAttempt,
  amount: number,
): Promise<ProviderEvent> {
  if (isCheckoutSession(providerReference)) throw failure('rejected', 'AMOUNT_FIXED');
  const params = { amount: stripeAmountOrRejection(amount, currency) };
  return paymentIntentEvent(
    await client.call((stripe) => stripe.paymentIntents.update(providerReference, params)),
  );
}
