import type { EventRecord, PaymentRecord, StripeAccount } from './account.js';
import { createCheckoutSession, expireCheckoutSession } from './checkout-sessions.js';
import type { FormValues } from './form-body.js';
import { listOf } from './list.js';
import { refuseUnknownParameters, text, texts } from './parameters.js';
import { cardParameter, createPaymentIntent, updatePaymentIntent } from './payment-intents.js';
import { cancelPayment, confirmPayment } from './payments.js';
import { captureHold } from './holds.js';
import { createRefund } from './refunds.js';
import { cardError, invalidRequest, StripeDoubleError } from './stripe-error.js';
import { findTestCard } from './test-cards.js';

/** One thing that the API can be asked for. */
export interface Operation {
  readonly name: string;
  /** `:id` stands for an id. */
  readonly route: string;
  /** Parameters it takes beside `expand`; others are refused, as Stripe does. */
  readonly parameters: ReadonlySet<string>;
  run(account: StripeAccount, form: FormValues, id: string): object;
}

const PAGE = 'limit starting_after ending_before created';

export const OPERATIONS: readonly Operation[] = [
  operation(
    'payment_intents.create',
    'POST /v1/payment_intents',
    'amount currency automatic_payment_methods allowed_payment_method_types capture_method confirm description ' +
      'metadata payment_method receipt_email return_url error_on_requires_action statement_descriptor_suffix',
    (account, form) => {
      const payment = createPaymentIntent(account, form);
      return text(form, 'confirm') === 'true' ? confirmByApi(account, payment, form) : payment.object;
    },
  ),
  operation('payment_intents.list', 'GET /v1/payment_intents', `${PAGE} customer`, (account, form) =>
    listOf(
      '/v1/payment_intents',
      [...account.payments.values()].map(({ object }) => object),
      form,
    ),
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
    'amount currency description metadata receipt_email statement_descriptor_suffix',
    (account, form, id) => updatePaymentIntent(account, id, form).object,
  ),
  operation(
    'payment_intents.confirm',
    'POST /v1/payment_intents/:id/confirm',
    'payment_method return_url error_on_requires_action off_session',
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
  operation(
    'checkout.sessions.create',
    'POST /v1/checkout/sessions',
    'mode ui_mode line_items success_url cancel_url client_reference_id metadata payment_intent_data expires_at ' +
      'customer_email locale adaptive_pricing submit_type allowed_payment_method_types',
    (account, form) => createCheckoutSession(account, form).object,
  ),
  operation(
    'checkout.sessions.list',
    'GET /v1/checkout/sessions',
    `${PAGE} payment_intent`,
    (account, form) =>
      listOf(
        '/v1/checkout/sessions',
        matching(
          [...account.sessions.values()].map(({ object }) => object),
          form,
          'payment_intent',
        ),
        form,
      ),
  ),
  operation(
    'checkout.sessions.retrieve',
    'GET /v1/checkout/sessions/:id',
    '',
    (account, _form, id) => account.session(id).object,
  ),
  operation('checkout.sessions.expire', 'POST /v1/checkout/sessions/:id/expire', '', (account, _form, id) => {
    const session = account.session(id);
    expireCheckoutSession(account, session);
    return session.object;
  }),
  operation(
    'refunds.create',
    'POST /v1/refunds',
    'payment_intent charge amount reason metadata',
    (account, form) => createRefund(account, form),
  ),
  operation('refunds.list', 'GET /v1/refunds', `${PAGE} payment_intent charge`, (account, form) =>
    listOf(
      '/v1/refunds',
      matching(matching([...account.refunds.values()], form, 'payment_intent'), form, 'charge'),
      form,
    ),
  ),
  operation('refunds.retrieve', 'GET /v1/refunds/:id', '', (account, _form, id) => account.refund(id)),
  operation('charges.list', 'GET /v1/charges', `${PAGE} payment_intent`, (account, form) =>
    listOf('/v1/charges', matching([...account.charges.values()], form, 'payment_intent'), form),
  ),
  operation('charges.retrieve', 'GET /v1/charges/:id', '', (account, _form, id) => account.charge(id)),
  operation('disputes.list', 'GET /v1/disputes', `${PAGE} payment_intent charge`, (account, form) =>
    listOf(
      '/v1/disputes',
      matching(matching([...account.disputes.values()], form, 'payment_intent'), form, 'charge'),
      form,
    ),
  ),
  operation('disputes.retrieve', 'GET /v1/disputes/:id', '', (account, _form, id) => account.dispute(id)),
  operation('events.list', 'GET /v1/events', `${PAGE} type types delivery_success`, (account, form) =>
    listOf('/v1/events', ofTypes([...account.events.values()], form), form, parsedEvent),
  ),
  operation('events.retrieve', 'GET /v1/events/:id', '', (account, _form, id) =>
    parsedEvent(account.event(id)),
  ),
];

function operation(name: string, route: string, parameters: string, run: Operation['run']): Operation {
  const known = new Set(parameters.split(' '));
  return {
    name,
    route,
    parameters: known,
    run: (account, form, id) => {
      refuseUnknownParameters(form, known);
      return run(account, form, id);
    },
  };
}

/** Confirmed by the merchant's server: a decline is an error here, unlike in the payer's browser. */
function confirmByApi(account: StripeAccount, payment: PaymentRecord, form: FormValues): object {
  const { object } = payment;
  const card = cardParameter(form) ?? payment.card;
  if (!card) {
    throw invalidRequest('You cannot confirm this PaymentIntent because it is missing a payment method.', {
      code: 'payment_intent_unexpected_state',
    });
  }
  if (card.authentication && text(form, 'error_on_requires_action') === 'true') {
    const message = 'This payment required an authentication action to complete.';
    const body = { type: 'card_error', code: 'authentication_required', message } as const;
    throw new StripeDoubleError(402, { ...body, payment_intent: object }, true);
  }
  confirmPayment(account, payment, card, text(form, 'return_url'));
  if (object.last_payment_error) throw cardError(object);
  return object;
}

const CANCELLATION_REASONS = ['duplicate', 'fraudulent', 'requested_by_customer', 'abandoned'] as const;

function cancellationReason(form: FormValues): (typeof CANCELLATION_REASONS)[number] | null {
  const reason = text(form, 'cancellation_reason');
  if (reason === undefined) return null;
  const known = CANCELLATION_REASONS.find((name) => name === reason);
  if (known) return known;
  throw invalidRequest(`Invalid cancellation_reason: ${reason}`, { param: 'cancellation_reason' });
}

/** Those whose field has the value that the parameter of the same name asks for. */
function matching<Item extends object>(
  items: readonly Item[],
  form: FormValues,
  name: keyof Item & string,
): Item[] {
  const wanted = text(form, name);
  return wanted === undefined ? [...items] : items.filter((item) => item[name] === wanted);
}

const MOST_TYPES = 20;

function ofTypes(events: readonly EventRecord[], form: FormValues): EventRecord[] {
  const types = texts(form, 'types');
  if (types.length > MOST_TYPES || (types.length > 0 && text(form, 'type') !== undefined)) {
    throw invalidRequest(`You may pass either type or up to ${MOST_TYPES} types.`, { param: 'types' });
  }
  return matching(events, form, 'type').filter(({ type }) => types.length === 0 || types.includes(type));
}

function parsedEvent(event: EventRecord): object {
  return JSON.parse(event.body) as object;
}

/** What a person types: a number, or a name of the test payment methods. */
export function requireTestCard(numberOrPaymentMethod: string) {
  const card = findTestCard(numberOrPaymentMethod);
  if (!card)
    throw invalidRequest(`No such test card: '${numberOrPaymentMethod}'`, { code: 'incorrect_number' });
  return card;
}
