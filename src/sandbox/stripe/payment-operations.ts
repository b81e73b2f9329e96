import type { PaymentRecord, StripeAccount } from './account.js';
import type { FormValues } from './form-body.js';
import { captureHold } from './holds.js';
import { listOf } from './list.js';
import { matching, objectsOf, operation, PAGE, type Operation } from './operation.js';
import { automaticMethodsParameter, refuseWithoutReturnUrl } from './next-action.js';
import { text } from './parameters.js';
import { createPaymentIntent, setupFutureUsageParameter, updatePaymentIntent } from './payment-intents.js';
import { methodParameter } from './payment-methods.js';
import { cancelPayment, confirmPayment } from './payments.js';
import { cardError, invalidRequest } from './stripe-error.js';

export const PAYMENT_OPERATIONS: readonly Operation[] = [
  operation(
    'payment_intents.create',
    'POST /v1/payment_intents',
    'amount currency automatic_payment_methods allowed_payment_method_types capture_method confirm description ' +
      'metadata payment_method receipt_email return_url error_on_requires_action statement_descriptor_suffix ' +
      'customer off_session setup_future_usage use_stripe_sdk',
    (account, form) => {
      refuseHalfConfirmed(form);
      const payment = createPaymentIntent(account, form);
      return text(form, 'confirm') === 'true' ? confirmByApi(account, payment, form) : payment.object;
    },
  ),
  operation('payment_intents.list', 'GET /v1/payment_intents', `${PAGE} customer`, (account, form) =>
    listOf('/v1/payment_intents', matching(objectsOf(account.payments), form, 'customer'), form),
  ),
  operation(
    'payment_intents.retrieve',
    'GET /v1/payment_intents/:id',
    'client_secret',
    (account, _form, id) => account.payment(id).object,
  ),
  operation(
    'payment_intents.update',
    'POST /v1/payment_intents/:id',
    'amount currency description metadata receipt_email setup_future_usage statement_descriptor_suffix',
    (account, form, id) => updatePaymentIntent(account, id, form).object,
  ),
  operation(
    'payment_intents.confirm',
    'POST /v1/payment_intents/:id/confirm',
    'payment_method return_url error_on_requires_action off_session use_stripe_sdk',
    (account, form, id) => confirmByApi(account, account.payment(id), form),
  ),
  operation(
    'payment_intents.cancel',
    'POST /v1/payment_intents/:id/cancel',
    'cancellation_reason',
    (account, form, id) => {
      const payment = account.payment(id);
      cancelPayment(account, payment, cancellationReason(form));
      return payment.object;
    },
  ),
  operation(
    'payment_intents.capture',
    'POST /v1/payment_intents/:id/capture',
    'amount_to_capture metadata statement_descriptor_suffix',
    (account, form, id) => {
      const payment = account.payment(id);
      captureHold(account, payment, form);
      return payment.object;
    },
  ),
];

/** Confirmed by the merchant's server: a decline is an error here, unlike in the payer's browser. */
function confirmByApi(account: StripeAccount, payment: PaymentRecord, form: FormValues): object {
  const { object } = payment;
  const method = methodParameter(account, form) ?? payment.method;
  if (!method) {
    throw invalidRequest('You cannot confirm this PaymentIntent because it is missing a payment method.', {
      code: 'payment_intent_unexpected_state',
    });
  }
  const returnUrl = text(form, 'return_url');
  refuseWithoutReturnUrl(object.automatic_payment_methods, returnUrl);
  object.setup_future_usage = setupFutureUsageParameter(form) ?? object.setup_future_usage;
  const offSession = isSaid(form, 'off_session');
  confirmPayment(account, payment, method, {
    returnUrl,
    offSession,
    byStripeJs: isSaid(form, 'use_stripe_sdk'),
    whenAsked: offSession || isSaid(form, 'error_on_requires_action') ? 'FAIL' : 'ASK',
  });
  if (object.last_payment_error) throw cardError(object);
  return object;
}

/** `off_session` may also be `one_off` or `recurring`. */
function isSaid(form: FormValues, name: string): boolean {
  const value = text(form, name);
  return value !== undefined && value !== 'false';
}

/** Before anything is made that then couldn't be confirmed, or wouldn't be. */
function refuseHalfConfirmed(form: FormValues): void {
  if (text(form, 'confirm') === 'true') {
    return refuseWithoutReturnUrl(automaticMethodsParameter(form), text(form, 'return_url'));
  }
  const param = ['off_session', 'error_on_requires_action'].find((name) => isSaid(form, name));
  if (param === undefined) return;
  throw invalidRequest(`You cannot set ${param} when confirm is not true.`, { param });
}

const CANCELLATION_REASONS = ['duplicate', 'fraudulent', 'requested_by_customer', 'abandoned'] as const;

function cancellationReason(form: FormValues): (typeof CANCELLATION_REASONS)[number] | null {
  const reason = text(form, 'cancellation_reason');
  if (reason === undefined) return null;
  const known = CANCELLATION_REASONS.find((name) => name === reason);
  if (known) return known;
  throw invalidRequest(`Invalid cancellation_reason: ${reason}`, { param: 'cancellation_reason' });
}
