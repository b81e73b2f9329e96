import type { EventRecord } from './account.js';
import { BILLING_OPERATIONS } from './billing-operations.js';
import { createCheckoutSession, expireCheckoutSession } from './checkout-sessions.js';
import type { FormValues } from './form-body.js';
import { listOf } from './list.js';
import { matching, objectsOf, operation, PAGE, type Operation } from './operation.js';
import { text, texts } from './parameters.js';
import { PAYMENT_OPERATIONS } from './payment-operations.js';
import { createRefund } from './refunds.js';
import { SAVED_METHOD_OPERATIONS } from './saved-method-operations.js';
import { invalidRequest } from './stripe-error.js';

export const OPERATIONS: readonly Operation[] = [
  ...PAYMENT_OPERATIONS,
  ...SAVED_METHOD_OPERATIONS,
  ...BILLING_OPERATIONS,
  operation(
    'checkout.sessions.create',
    'POST /v1/checkout/sessions',
    'mode ui_mode line_items success_url cancel_url client_reference_id metadata payment_intent_data expires_at ' +
      'customer customer_email locale adaptive_pricing submit_type allowed_payment_method_types',
    (account, form) => createCheckoutSession(account, form).object,
  ),
  operation(
    'checkout.sessions.list',
    'GET /v1/checkout/sessions',
    `${PAGE} payment_intent customer`,
    (account, form) =>
      listOf(
        '/v1/checkout/sessions',
        matching(objectsOf(account.sessions), form, 'payment_intent', 'customer'),
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
    listOf('/v1/refunds', matching(account.refunds.values(), form, 'payment_intent', 'charge'), form),
  ),
  operation('refunds.retrieve', 'GET /v1/refunds/:id', '', (account, _form, id) => account.refund(id)),
  operation('charges.list', 'GET /v1/charges', `${PAGE} payment_intent customer`, (account, form) =>
    listOf('/v1/charges', matching(account.charges.values(), form, 'payment_intent', 'customer'), form),
  ),
  operation('charges.retrieve', 'GET /v1/charges/:id', '', (account, _form, id) => account.charge(id)),
  operation('disputes.list', 'GET /v1/disputes', `${PAGE} payment_intent charge`, (account, form) =>
    listOf('/v1/disputes', matching(account.disputes.values(), form, 'payment_intent', 'charge'), form),
  ),
  operation('disputes.retrieve', 'GET /v1/disputes/:id', '', (account, _form, id) => account.dispute(id)),
  operation('events.list', 'GET /v1/events', `${PAGE} type types delivery_success`, (account, form) =>
    listOf('/v1/events', ofTypes([...account.events.values()], form), form, parsedEvent),
  ),
  operation('events.retrieve', 'GET /v1/events/:id', '', (account, _form, id) =>
    parsedEvent(account.event(id)),
  ),
];

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
