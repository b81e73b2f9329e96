import type Stripe from 'stripe';
import { newId, now, type MethodRecord, type SetupRecord, type StripeAccount } from './account.js';
import { customerParameter } from './customers.js';
import type { FormValues } from './form-body.js';
import {
  automaticMethodsParameter,
  nextAction,
  refuseWithoutReturnUrl,
  type HowToAsk,
} from './next-action.js';
import { allowedTypes, mergedMetadata, text } from './parameters.js';
import {
  asksFirst,
  attachMethod,
  canBeSaved,
  methodParameter,
  requireAllowedType,
  requireUsable,
} from './payment-methods.js';
import { invalidRequest, StripeDoubleError } from './stripe-error.js';
import type { Decline } from './test-cards.js';

/** How a SetupIntent moves: like a PaymentIntent, but it takes no money, and leaves a saved method behind. */

export function createSetupIntent(account: StripeAccount, form: FormValues): SetupRecord {
  if (text(form, 'confirm') === 'true') {
    refuseWithoutReturnUrl(automaticMethodsParameter(form), text(form, 'return_url'));
  }
  const customer = customerParameter(account, form);
  const method = methodParameter(account, form);
  if (method) requireUsable(method, customer?.id ?? null);
  const setup: SetupRecord = { object: newSetupIntentObject(form, customer?.id ?? null) };
  account.setups.set(setup.object.id, setup);
  if (method) {
    setup.method = method;
    setup.object.payment_method = method.object.id;
    setup.object.status = 'requires_confirmation';
  }
  account.emit('setup_intent.created', setup.object, setup.object.id);
  return setup;
}

/** The payer's card is tried. That their bank refuses it is not thrown: it is the SetupIntent's new state. */
export function confirmSetup(
  account: StripeAccount,
  setup: SetupRecord,
  method: MethodRecord,
  how: HowToAsk = {},
): void {
  const { object } = setup;
  requireStatus(setup, 'confirm', ['requires_payment_method', 'requires_confirmation', 'requires_action']);
  requireUsable(method, typeof object.customer === 'string' ? object.customer : null);
  requireAllowedType(method, object.allowed_payment_method_types);
  setup.method = method;
  if (how.returnUrl !== undefined) setup.returnUrl = how.returnUrl;
  object.payment_method = method.object.id;
  object.last_setup_error = null;
  object.next_action = null;
  object.latest_attempt = newId('setatt');
  if (!asksFirst(method, false)) return saveMethod(account, setup, method);
  object.status = 'requires_action';
  object.next_action = nextAction(account, object.client_secret, how);
  account.emit('setup_intent.requires_action', object, object.id);
}

/** The payer answers their bank. */
export function finishSetupAuthentication(account: StripeAccount, setup: SetupRecord, passed: boolean): void {
  requireStatus(setup, 'authenticate', ['requires_action']);
  setup.object.next_action = null;
  if (passed && setup.method) return saveMethod(account, setup, setup.method);
  failSetup(account, setup, {
    kind: 'declines',
    code: 'setup_intent_authentication_failure',
    message:
      'We are unable to authenticate your payment method. Please choose a different payment method and try again.',
  });
}

export function cancelSetup(account: StripeAccount, setup: SetupRecord, form: FormValues): void {
  requireStatus(setup, 'cancel', ['requires_payment_method', 'requires_confirmation', 'requires_action']);
  setup.object.status = 'canceled';
  setup.object.cancellation_reason = text(form, 'cancellation_reason') ?? null;
  setup.object.next_action = null;
  account.emit('setup_intent.canceled', setup.object, setup.object.id);
}

/** Confirmed by the merchant's server: a decline is an error here, unlike in the payer's browser. */
export function confirmSetupByApi(account: StripeAccount, setup: SetupRecord, form: FormValues): object {
  const method = methodParameter(account, form) ?? setup.method;
  if (!method) {
    const message = 'You cannot confirm this SetupIntent because it is missing a payment method.';
    throw invalidRequest(message, { code: 'setup_intent_unexpected_state' });
  }
  const returnUrl = text(form, 'return_url');
  refuseWithoutReturnUrl(setup.object.automatic_payment_methods, returnUrl);
  const byStripeJs = text(form, 'use_stripe_sdk') === 'true';
  confirmSetup(account, setup, method, { returnUrl, byStripeJs });
  const error = setup.object.last_setup_error;
  if (!error) return setup.object;
  const { code = 'card_declined', decline_code, message = 'Your card was declined.' } = error;
  const body = { type: 'card_error', code, message, setup_intent: setup.object } as const;
  throw new StripeDoubleError(402, { ...body, ...(decline_code !== undefined && { decline_code }) }, true);
}

function saveMethod(account: StripeAccount, setup: SetupRecord, method: MethodRecord): void {
  const { object } = setup;
  if (!canBeSaved(method.card) && method.card.result.kind === 'declines') {
    return failSetup(account, setup, method.card.result);
  }
  object.status = 'succeeded';
  if (object.usage === 'off_session') method.setUp = true;
  if (typeof object.customer === 'string') attachMethod(account, method, object.customer);
  account.emit('setup_intent.succeeded', object, object.id);
}

function failSetup(account: StripeAccount, setup: SetupRecord, decline: Decline): void {
  const { object, method } = setup;
  object.status = 'requires_payment_method';
  object.payment_method = null;
  object.last_setup_error = {
    type: decline.code === 'setup_intent_authentication_failure' ? 'invalid_request_error' : 'card_error',
    code: decline.code,
    message: decline.message,
    ...(decline.declineCode !== undefined && { decline_code: decline.declineCode }),
    ...(method && { payment_method: method.object }),
  };
  account.emit('setup_intent.setup_failed', object, object.id);
}

function requireStatus({ object }: SetupRecord, verb: string, allowed: readonly string[]): void {
  if (allowed.includes(object.status)) return;
  const body = {
    type: 'invalid_request_error',
    code: 'setup_intent_unexpected_state',
    message: `You cannot ${verb} this SetupIntent because it has a status of ${object.status}.`,
    setup_intent: object,
  } as const;
  throw new StripeDoubleError(400, body, true);
}

function usageParameter(form: FormValues): string {
  const usage = text(form, 'usage') ?? 'off_session';
  if (usage === 'off_session' || usage === 'on_session') return usage;
  throw invalidRequest(`Invalid usage: must be off_session or on_session`, { param: 'usage' });
}

function newSetupIntentObject(form: FormValues, customerId: string | null): Stripe.SetupIntent {
  const id = newId('seti');
  return {
    id,
    object: 'setup_intent',
    allowed_payment_method_types: allowedTypes(form),
    application: null,
    automatic_payment_methods: automaticMethodsParameter(form),
    cancellation_reason: null,
    client_secret: newId(`${id}_secret`),
    created: now(),
    customer: customerId,
    customer_account: null,
    description: text(form, 'description') ?? null,
    excluded_payment_method_types: null,
    flow_directions: null,
    last_setup_error: null,
    latest_attempt: null,
    livemode: false,
    mandate: null,
    metadata: mergedMetadata({}, form),
    next_action: null,
    on_behalf_of: null,
    payment_method: null,
    payment_method_configuration_details: null,
    payment_method_options: {},
    payment_method_types: ['card'],
    single_use_mandate: null,
    status: 'requires_payment_method',
    usage: usageParameter(form),
  };
}
