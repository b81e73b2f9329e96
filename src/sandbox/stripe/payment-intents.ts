import type Stripe from 'stripe';
import { newId, now, type CaptureMethod, type PaymentRecord, type StripeAccount } from './account.js';
import { checkAmount } from './amounts.js';
import { customerParameter } from './customers.js';
import { allowedTypes, integer, mergedMetadata, requiredInteger, requiredText, text } from './parameters.js';
import type { FormValues } from './form-body.js';
import { automaticMethodsParameter } from './next-action.js';
import { methodParameter, requireUsable } from './payment-methods.js';
import { invalidRequest, unexpectedState } from './stripe-error.js';

interface NewPaymentIntent {
  readonly amount: number;
  readonly currency: string;
  readonly description: string | null;
  readonly metadata: Record<string, string>;
  readonly receiptEmail?: string | undefined;
  /** Null for an invoice, which says itself what it can be paid with. */
  readonly automaticMethods: Stripe.PaymentIntent.AutomaticPaymentMethods | null;
  readonly captureMethod: CaptureMethod;
  readonly allowedTypes?: Stripe.PaymentIntent.AllowedPaymentMethodType[] | null;
  readonly customerId?: string | null;
  readonly setupFutureUsage?: SetupFutureUsage | null;
  readonly sessionId?: string;
  readonly invoiceId?: string;
}

type SetupFutureUsage = 'on_session' | 'off_session';

export function createPaymentIntent(account: StripeAccount, form: FormValues): PaymentRecord {
  const amount = requiredInteger(form, 'amount');
  const currency = requiredText(form, 'currency').toLowerCase();
  checkAmount(amount, currency, 'amount');
  const customerId = customerParameter(account, form)?.id ?? null;
  const method = methodParameter(account, form);
  if (method) requireUsable(method, customerId);
  const payment = addPaymentIntent(account, {
    amount,
    currency,
    description: text(form, 'description') ?? null,
    metadata: mergedMetadata({}, form),
    receiptEmail: text(form, 'receipt_email'),
    captureMethod: captureMethodParameter(form),
    customerId,
    setupFutureUsage: setupFutureUsageParameter(form),
    automaticMethods: automaticMethodsParameter(form),
    allowedTypes: allowedTypes(form),
  });
  if (method) {
    payment.method = method;
    payment.object.payment_method = method.object.id;
    payment.object.status = 'requires_confirmation';
  }
  account.emit('payment_intent.created', payment.object, payment.object.id);
  account.onPaymentCreated(payment);
  return payment;
}

/** Without telling anybody: who calls it knows when the new PaymentIntent is ready to be told of. */
export function addPaymentIntent(account: StripeAccount, values: NewPaymentIntent): PaymentRecord {
  const object = newPaymentIntentObject(values);
  const payment: PaymentRecord = {
    object,
    ...(values.sessionId !== undefined && { sessionId: values.sessionId }),
    ...(values.invoiceId !== undefined && { invoiceId: values.invoiceId }),
  };
  account.payments.set(object.id, payment);
  return payment;
}

function newPaymentIntentObject(values: NewPaymentIntent): Stripe.PaymentIntent {
  const id = newId('pi');
  return {
    id,
    object: 'payment_intent',
    allowed_payment_method_types: values.allowedTypes ?? null,
    amount: values.amount,
    amount_capturable: 0,
    amount_received: 0,
    application: null,
    application_fee_amount: null,
    automatic_payment_methods: values.automaticMethods,
    canceled_at: null,
    cancellation_reason: null,
    capture_method: values.captureMethod,
    client_secret: newId(`${id}_secret`),
    confirmation_method: 'automatic',
    created: now(),
    currency: values.currency,
    customer: values.customerId ?? null,
    customer_account: null,
    description: values.description,
    excluded_payment_method_types: null,
    last_payment_error: null,
    latest_charge: null,
    livemode: false,
    managed_payments: null,
    metadata: values.metadata,
    next_action: null,
    on_behalf_of: null,
    payment_method: null,
    payment_method_configuration_details: null,
    payment_method_options: {},
    payment_method_types: ['card'],
    payment_record: null,
    processing: null,
    receipt_email: values.receiptEmail ?? null,
    review: null,
    setup_future_usage: values.setupFutureUsage ?? null,
    shipping: null,
    source: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: 'requires_payment_method',
    transfer_group: null,
  };
}

export function updatePaymentIntent(account: StripeAccount, id: string, form: FormValues): PaymentRecord {
  const payment = account.payment(id);
  const { object } = payment;
  const amount = integer(form, 'amount');
  const currency = text(form, 'currency')?.toLowerCase();
  if (amount !== undefined || currency !== undefined) {
    checkAmount(amount ?? object.amount, currency ?? object.currency, 'amount');
    if (object.status !== 'requires_payment_method' && object.status !== 'requires_confirmation') {
      const message = `This PaymentIntent's amount could not be updated because it has a status of ${object.status}.`;
      throw unexpectedState(message, object);
    }
    object.amount = amount ?? object.amount;
    object.currency = currency ?? object.currency;
  }
  object.description = text(form, 'description') ?? object.description;
  object.receipt_email = text(form, 'receipt_email') ?? object.receipt_email;
  object.setup_future_usage = setupFutureUsageParameter(form) ?? object.setup_future_usage;
  object.metadata = mergedMetadata(object.metadata, form);
  return payment;
}

/** Stripe has `automatic` too, which it counts among the old ways; here it is the same as `automatic_async`. */
export function captureMethodParameter(form: FormValues): CaptureMethod {
  const captureMethod = text(form, 'capture_method') ?? 'automatic_async';
  if (captureMethod === 'manual') return 'manual';
  if (captureMethod === 'automatic' || captureMethod === 'automatic_async') return 'automatic_async';
  throw invalidRequest(`Invalid capture_method: ${captureMethod}`, { param: 'capture_method' });
}

export function setupFutureUsageParameter(form: FormValues): SetupFutureUsage | null {
  const usage = text(form, 'setup_future_usage');
  if (usage === undefined) return null;
  if (usage === 'on_session' || usage === 'off_session') return usage;
  throw invalidRequest(`Invalid setup_future_usage: ${usage}`, { param: 'setup_future_usage' });
}
