import type { PendingWork } from '../pending-work.js';
import type { WebhookCounts, WebhookSender } from '../webhook-sender.js';
import { paymentIntentIdOf } from './charges.js';
import type { StripeAccount } from './account.js';
import type { StripeApi } from './api.js';
import type { Fault, FaultyAnswer } from './faults.js';
import type { FormValues } from './form-body.js';
import { integer, requiredInteger, requiredText, text } from './parameters.js';
import { findPayment, pay, paymentResult } from './payer.js';
import { finishAuthentication, settlePayment } from './payments.js';
import { chargeOfPayment, refundCharge } from './refunds.js';
import { invalidRequest } from './stripe-error.js';

export interface ControlledParts {
  readonly account: StripeAccount;
  readonly api: StripeApi;
  readonly webhooks: WebhookSender;
  readonly work: PendingWork;
}

type Control = (parts: ControlledParts, form: FormValues) => unknown;

/**
 * What a test or a benchmark in another process does to the double, over HTTP with form bodies: the same as the methods
 * of `StripeDouble`. `curl -d payment_intent=pi_… -d card=4242424242424242 http://…/_double/pay`
 */
const CONTROLS: Readonly<Record<string, Control>> = {
  'GET /_double/counts': (parts) => countsOf(parts),
  'GET /_double/charges': ({ account }, form) => chargesFor(account, text(form, 'for')),
  'GET /_double/events': ({ account }) => [...account.events.values()].map(({ id, type }) => ({ id, type })),
  'POST /_double/pay': ({ account }, form) =>
    pay(account, requiredText(form, 'payment_intent'), requiredText(form, 'card'), text(form, 'return_url')),
  'POST /_double/authenticate': ({ account }, form) => {
    const payment = findPayment(account, requiredText(form, 'payment_intent'));
    finishAuthentication(account, payment, requiredText(form, 'result') === 'complete');
    return paymentResult(payment);
  },
  'POST /_double/settle': ({ account }, form) => {
    const payment = findPayment(account, requiredText(form, 'payment_intent'));
    settlePayment(account, payment, requiredText(form, 'result') === 'succeed');
    return paymentResult(payment);
  },
  'POST /_double/refund': ({ account }, form) =>
    refundInDashboard(account, requiredText(form, 'payment_intent'), integer(form, 'amount')),
  'POST /_double/deliver': ({ account, webhooks }, form) => {
    webhooks.send(account.event(requiredText(form, 'event')));
    return {};
  },
  'POST /_double/webhooks/pause': ({ webhooks }) => {
    webhooks.pause();
    return {};
  },
  'POST /_double/webhooks/resume': ({ webhooks }) => {
    webhooks.resume();
    return {};
  },
  'POST /_double/faults': ({ api }, form) => {
    const fault = faultFrom(form);
    api.faults.add(requiredText(form, 'operation'), fault, fault.times ?? 1);
    return {};
  },
  'GET /_double/settled': async ({ work }) => {
    await work.settled();
    return {};
  },
};

export function findControl(method: string, path: string): Control | undefined {
  return CONTROLS[`${method} ${path}`];
}

export interface DoubleCounts {
  readonly requests: Readonly<Record<string, number>>;
  readonly charges: { readonly succeeded: number; readonly failed: number };
  /** What there is now, so no more than `maxObjects` of each. */
  readonly objects: { readonly paymentIntents: number; readonly sessions: number; readonly refunds: number };
  readonly webhooks: WebhookCounts;
  /** Deliveries and other things that the double has still to do. */
  readonly pending: number;
}

export function countsOf({ account, api, webhooks, work }: ControlledParts): DoubleCounts {
  return {
    requests: api.requestCounts(),
    charges: { ...account.chargeCounts },
    objects: {
      paymentIntents: account.payments.size,
      sessions: account.sessions.size,
      refunds: account.refunds.size,
    },
    webhooks: webhooks.counts,
    pending: work.count,
  };
}

/** A try to take money, for tests that count. Amounts are in Stripe's units. */
export interface ChargeSummary {
  readonly id: string;
  readonly paymentIntentId: string;
  readonly amount: number;
  readonly amountRefunded: number;
  readonly currency: string;
  readonly status: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** @param reference a PaymentIntent's id, or any value of the metadata, such as our attempt's reference; all when left out. */
export function chargesFor(account: StripeAccount, reference?: string): ChargeSummary[] {
  return [...account.charges.values()]
    .filter(
      ({ payment_intent, metadata }) =>
        reference === undefined ||
        payment_intent === reference ||
        Object.values(metadata).includes(reference),
    )
    .map((charge) => ({
      id: charge.id,
      paymentIntentId: paymentIntentIdOf(charge),
      amount: charge.amount,
      amountRefunded: charge.amount_refunded,
      currency: charge.currency,
      status: charge.status,
      metadata: charge.metadata,
    }));
}

/** Somebody clicks "Refund" in Stripe's dashboard. */
export function refundInDashboard(
  account: StripeAccount,
  paymentIntentId: string,
  amount?: number,
): { id: string } {
  const charge = chargeOfPayment(account, paymentIntentId);
  return { id: refundCharge(account, charge, amount, {}, 'requested_by_customer').id };
}

function faultFrom(form: FormValues): Fault {
  return {
    answer: faultyAnswerFrom(form),
    when: text(form, 'when') === 'AFTER_WORK' ? 'AFTER_WORK' : 'BEFORE_WORK',
    times: integer(form, 'times') ?? 1,
  };
}

function faultyAnswerFrom(form: FormValues): FaultyAnswer {
  const kind = requiredText(form, 'answer');
  if (kind === 'hang' || kind === 'close' || kind === 'notJson') return { kind };
  if (kind !== 'status') throw invalidRequest(`Unknown answer: ${kind}`, { param: 'answer' });
  const code = text(form, 'code');
  return { kind, status: requiredInteger(form, 'status'), ...(code !== undefined && { code }) };
}
