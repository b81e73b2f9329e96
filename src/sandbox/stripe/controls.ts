import type { StripeAccount } from './account.js';
import { playTimeForward } from './billing-clock.js';
import {
  appealDispute,
  closeDispute,
  decideDisputeAgain,
  escalateInquiry,
  openDispute,
  reinstateFunds,
  type DisputedBalance,
} from './disputes.js';
import {
  changeBalance,
  creditInvoice,
  payInvoiceByCharge,
  payInvoiceOutside,
  payPartOfInvoice,
} from './invoice-settlement.js';
import { latestInvoice, voidInvoice } from './invoices.js';
import { deleteCustomerAndSubscriptions } from './subscriptions.js';
import type { Fault, FaultyAnswer } from './faults.js';
import type { FormValues } from './form-body.js';
import { movementsOf } from './movements.js';
import { chargesFor, countsOf, refundsFor, type DoubleParts } from './observations.js';
import { integer, requiredInteger, requiredText, text } from './parameters.js';
import { findPayment, pay, payInvoice, paymentResult, setUp } from './payer.js';
import { finishAuthentication, lapseAuthorization, settlePayment } from './payments.js';
import { chargeOfPayment, failRefund, refundCharge } from './refunds.js';
import { invalidRequest } from './stripe-error.js';

type Control = (parts: DoubleParts, form: FormValues) => unknown;

/**
 * What a test or a benchmark in another process does to the double, over HTTP with form bodies: the same as the methods
 * of `StripeDouble`. `curl -d payment_intent=pi_… -d card=4242424242424242 http://…/_double/pay`
 */
const CONTROLS: Readonly<Record<string, Control>> = {
  'GET /_double/counts': (parts) => countsOf(parts),
  'GET /_double/charges': ({ account }, form) => chargesFor(account, text(form, 'for')),
  'GET /_double/refunds': ({ account }, form) => refundsFor(account, text(form, 'for')),
  'GET /_double/movements': ({ account }) => movementsOf(account),
  'GET /_double/events': ({ account }) => [...account.events.values()].map(({ id, type }) => ({ id, type })),
  'POST /_double/pay': ({ account }, form) =>
    pay(account, requiredText(form, 'payment_intent'), requiredText(form, 'card'), text(form, 'return_url')),
  'POST /_double/authenticate': ({ account }, form) => {
    const payment = findPayment(account, requiredText(form, 'payment_intent'));
    finishAuthentication(account, payment, requiredText(form, 'result') === 'complete');
    return paymentResult(payment);
  },
  'POST /_double/setup': ({ account }, form) =>
    setUp(
      account,
      requiredText(form, 'setup_intent'),
      text(form, 'card'),
      text(form, 'result') !== 'fail',
      text(form, 'return_url'),
    ),
  'POST /_double/invoice/pay': ({ account }, form) =>
    payInvoice(account, requiredText(form, 'invoice'), requiredText(form, 'card')),
  'POST /_double/invoice/pay_part': ({ account }, form) =>
    payPartOfInvoice(
      account,
      latestInvoice(account, requiredText(form, 'invoice')),
      requiredInteger(form, 'amount'),
      requiredText(form, 'card'),
    ),
  'POST /_double/invoice/pay_by_charge': ({ account }, form) =>
    payInvoiceByCharge(account, latestInvoice(account, requiredText(form, 'invoice'))),
  'POST /_double/invoice/pay_outside': ({ account }, form) => {
    payInvoiceOutside(
      account,
      latestInvoice(account, requiredText(form, 'invoice')),
      integer(form, 'amount'),
    );
    return {};
  },
  'POST /_double/invoice/credit': ({ account }, form) => {
    const by = text(form, 'by') ?? 'REFUND';
    if (by !== 'REFUND' && by !== 'BALANCE' && by !== 'OUTSIDE') {
      throw invalidRequest(`Unknown way to credit: ${by}`, { param: 'by' });
    }
    const invoice = latestInvoice(account, requiredText(form, 'invoice'));
    return { id: creditInvoice(account, invoice, requiredInteger(form, 'amount'), by).id };
  },
  'POST /_double/invoice/void': ({ account }, form) => {
    voidInvoice(account, latestInvoice(account, requiredText(form, 'invoice')));
    return {};
  },
  'POST /_double/subscription/discount': ({ account }, form) => {
    account.subscription(requiredText(form, 'subscription')).percentOff = requiredInteger(form, 'percent');
    return {};
  },
  'POST /_double/customer/balance': ({ account }, form) =>
    changeBalance(account, requiredText(form, 'customer'), requiredInteger(form, 'amount')),
  'POST /_double/customer/delete': ({ account }, form) =>
    deleteCustomerAndSubscriptions(account, requiredText(form, 'customer')),
  'POST /_double/forget': ({ account }, form) => {
    forget(account, requiredText(form, 'id'));
    return {};
  },
  'POST /_double/time/forward': ({ account }, form) => ({
    now: playTimeForward(account, requiredInteger(form, 'milliseconds')),
  }),
  'POST /_double/settle': ({ account }, form) => {
    const payment = findPayment(account, requiredText(form, 'payment_intent'));
    settlePayment(account, payment, requiredText(form, 'result') === 'succeed');
    return paymentResult(payment);
  },
  'POST /_double/lapse': ({ account }, form) => {
    const payment = findPayment(account, requiredText(form, 'payment_intent'));
    lapseAuthorization(account, payment);
    return paymentResult(payment);
  },
  'POST /_double/refund': ({ account }, form) =>
    refundInDashboard(account, requiredText(form, 'payment_intent'), integer(form, 'amount')),
  'POST /_double/refund/fail': ({ account }, form) => {
    failRefund(account, requiredText(form, 'refund'));
    return {};
  },
  'POST /_double/dispute': ({ account }, form) => {
    const paymentIntentId = requiredText(form, 'payment_intent');
    return openDispute(account, paymentIntentId, {
      amount: integer(form, 'amount'),
      withdraw: text(form, 'withdraw') !== 'false',
      amountDiffers: text(form, 'amount_differs') === 'true',
      balance: balanceFrom(form),
      lost: text(form, 'lost') === 'true',
      reason: text(form, 'reason'),
    });
  },
  'POST /_double/dispute/close': ({ account }, form) => {
    const decision = requiredText(form, 'result') === 'won' ? 'won' : 'lost';
    return closeDispute(account, requiredText(form, 'dispute'), decision, integer(form, 'reinstate'));
  },
  'POST /_double/dispute/decide_again': ({ account }, form) => {
    const decision = requiredText(form, 'result') === 'won' ? 'won' : 'lost';
    return decideDisputeAgain(account, requiredText(form, 'dispute'), decision);
  },
  'POST /_double/dispute/reinstate': ({ account }, form) =>
    reinstateFunds(account, requiredText(form, 'dispute'), integer(form, 'amount')),
  'POST /_double/dispute/appeal': ({ account }, form) =>
    appealDispute(account, requiredText(form, 'dispute')),
  'POST /_double/dispute/escalate': ({ account }, form) =>
    escalateInquiry(account, requiredText(form, 'dispute')),
  'POST /_double/elsewhere': ({ account }, form) => {
    const object = JSON.parse(requiredText(form, 'object')) as { id: string };
    const livemode = text(form, 'livemode');
    const [stripeAccount, context] = [text(form, 'account'), text(form, 'context')];
    const id = account.emit(requiredText(form, 'type'), object, object.id, undefined, {
      ...(stripeAccount !== undefined && { account: stripeAccount }),
      ...(context !== undefined && { context }),
      ...(livemode !== undefined && { livemode: livemode === 'true' }),
    });
    return { id };
  },
  'POST /_double/old_events': ({ account }, form) => {
    account.writesOldEvents = requiredText(form, 'on') === 'true';
    return {};
  },
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
  'POST /_double/webhooks/misbehave': ({ webhooks }, form) => {
    webhooks.misbehave({
      duplicate: decimal(form, 'duplicate'),
      drop: decimal(form, 'drop'),
      reorder: text(form, 'reorder') === 'true',
      delayMilliseconds: decimal(form, 'delay_milliseconds'),
      seed: integer(form, 'seed'),
    });
    return {};
  },
  'POST /_double/faults_by_chance': ({ api }, form) => {
    api.faults.byChance({ share: decimal(form, 'share') ?? 0, seed: integer(form, 'seed') });
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

/** Somebody clicks "Refund" in Stripe's dashboard. */
export function refundInDashboard(
  account: StripeAccount,
  paymentIntentId: string,
  amount?: number,
): { id: string } {
  const charge = paymentIntentId.startsWith('ch_')
    ? account.charge(paymentIntentId)
    : chargeOfPayment(account, paymentIntentId);
  return { id: refundCharge(account, charge, amount, {}, 'requested_by_customer').id };
}

/** The account has it no more. @param id of a customer, a saved method, a subscription, a PaymentIntent or a session. */
export function forget(account: StripeAccount, id: string): void {
  const { customers, methods, subscriptions, payments, sessions } = account;
  for (const kept of [customers, methods, subscriptions, payments, sessions]) kept.delete(id);
}

function decimal(form: FormValues, name: string): number | undefined {
  const value = text(form, name);
  return value === undefined ? undefined : Number(value);
}

function balanceFrom(form: FormValues): DisputedBalance | undefined {
  const currency = text(form, 'balance_currency');
  if (currency === undefined) return undefined;
  return { currency, exchangeRate: decimal(form, 'exchange_rate') ?? 1 };
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
