import { frontPage } from '../../pages/front-page.js';
import type { PaymentRecord, SessionRecord, StripeAccount } from '../account.js';
import { amountForPeople } from '../amounts.js';
import { text } from '../parameters.js';
import { parseForm, type FormValues } from '../form-body.js';
import { findPayment, pay } from '../payer.js';
import { methodsOf } from '../payment-methods.js';
import { finishAuthentication } from '../payments.js';
import { StripeDoubleError } from '../stripe-error.js';
import { findTestCard } from '../test-cards.js';
import { problem, safeUrl, shown, type PageAnswer, type PageRequest, type Visit } from './answers.js';
import { showSetup, showSetupAuthentication } from './setup-pages.js';
import { authenticationPage, paymentFormPage, resultPage } from './views.js';

const PAGES: readonly { readonly prefix: string; readonly show: (visit: Visit) => PageAnswer }[] = [
  { prefix: '/pay/', show: showPayment },
  { prefix: '/3ds/seti_', show: showSetupAuthentication },
  { prefix: '/3ds/', show: showAuthentication },
  { prefix: '/setup/', show: showSetup },
  { prefix: '/c/pay/', show: showCheckout },
];

const HOW_TO_PAY =
  'Its Checkout is the page that createPaymentIntent sends payers to; /pay/<client secret> stands in for the Payment Element, and /setup/<client secret> for it when a card is saved.';

/** The pages that a payer sees in their browser, or undefined for a path that is none of them. */
export function showPage(account: StripeAccount, request: PageRequest): PageAnswer | undefined {
  if (request.path === '/') return shown(frontPage('Stripe', HOW_TO_PAY));
  const found = PAGES.find(({ prefix }) => request.path.startsWith(prefix));
  if (!found) return undefined;
  try {
    return found.show({
      account,
      reference: request.path.slice(request.path.lastIndexOf('/') + 1),
      query: parseForm(request.query),
      sent: request.method === 'POST' ? parseForm(request.body) : undefined,
    });
  } catch (error) {
    if (error instanceof URIError) return problem(400, 'The address is broken.');
    if (error instanceof StripeDoubleError) return problem(error.status, error.body.message);
    throw error;
  }
}

/** Stands in for the Payment Element on a frontend's own page. */
function showPayment({ account, reference, query, sent }: Visit): PageAnswer {
  const payment = findPayment(account, reference);
  const returnUrl = safeUrl(text(query, 'return_url'));
  const wasPayable = isPayable(payment);
  const wrongNumber = sent && wasPayable ? tryToPay(account, reference, sent, returnUrl) : undefined;
  if (payment.object.status === 'requires_action') return toAuthentication(account, payment);
  if (isPayable(payment)) return paymentForm(account, payment, returnUrl, wrongNumber);
  return sent && wasPayable ? afterPayment(account, payment) : result(payment, returnUrl);
}

function showAuthentication({ account, reference, sent }: Visit): PageAnswer {
  const payment = findPayment(account, reference);
  if (payment.object.status !== 'requires_action') return result(payment, payment.returnUrl);
  if (!sent) {
    return shown(authenticationPage(amountForPeople(payment.object.amount, payment.object.currency)));
  }
  finishAuthentication(account, payment, text(sent, 'result') === 'complete');
  return afterPayment(account, payment);
}

/** Stripe's hosted Checkout page. */
function showCheckout({ account, reference, sent }: Visit): PageAnswer {
  const session = account.session(reference);
  if (session.object.status === 'complete') return { kind: 'redirect', url: successUrl(session) };
  if (session.object.status !== 'open') {
    return shown(resultPage('Too late', 'This payment page has expired.', cancelUrl(session)));
  }
  const wrongNumber = sent ? tryToPay(account, reference, sent) : undefined;
  const payment = paymentIfAny(account, session);
  if (payment?.object.status === 'requires_action') return toAuthentication(account, payment);
  if (payment && !isPayable(payment)) return { kind: 'redirect', url: successUrl(session) };
  return checkoutForm(session, payment, wrongNumber);
}

/** What is wrong with the card's number. A decline is no such thing: it is the payment's state. */
function tryToPay(
  account: StripeAccount,
  reference: string,
  sent: FormValues,
  returnUrl?: string,
): string | undefined {
  const card = text(sent, 'card') ?? '';
  if (!findTestCard(card) && !account.methods.has(card)) return 'Only the test cards below work here.';
  pay(account, reference, card, returnUrl);
  return undefined;
}

/** Where Stripe.js would take the payer: back to the shop, or to a page that says how it went. */
function afterPayment(account: StripeAccount, payment: PaymentRecord): PageAnswer {
  const { object, returnUrl, sessionId } = payment;
  if (sessionId !== undefined) {
    const session = account.session(sessionId);
    const url = isPayable(payment) ? `/c/pay/${sessionId}` : successUrl(session);
    return { kind: 'redirect', url };
  }
  if (returnUrl === undefined) {
    return isPayable(payment) ? { kind: 'redirect', url: `/pay/${object.client_secret}` } : result(payment);
  }
  const url = new URL(returnUrl);
  url.searchParams.set('payment_intent', object.id);
  url.searchParams.set('payment_intent_client_secret', object.client_secret ?? '');
  url.searchParams.set('redirect_status', redirectStatus(object.status));
  return { kind: 'redirect', url: url.href };
}

function redirectStatus(status: string): string {
  if (status === 'succeeded' || status === 'requires_capture') return 'succeeded';
  return status === 'processing' ? 'pending' : 'failed';
}

function toAuthentication(account: StripeAccount, { object }: PaymentRecord): PageAnswer {
  return { kind: 'redirect', url: `${account.baseUrl()}/3ds/${object.client_secret}` };
}

function paymentForm(
  account: StripeAccount,
  { object }: PaymentRecord,
  returnUrl?: string,
  wrongNumber?: string,
): PageAnswer {
  return shown(
    paymentFormPage({
      amount: amountForPeople(object.amount, object.currency),
      description: object.description ?? 'Payment',
      problem: wrongNumber ?? object.last_payment_error?.message,
      cancelUrl: returnUrl,
      saved: typeof object.customer === 'string' ? methodsOf(account, object.customer) : [],
    }),
  );
}

function checkoutForm(session: SessionRecord, payment?: PaymentRecord, wrongNumber?: string): PageAnswer {
  const { amount_total, currency } = session.object;
  return shown(
    paymentFormPage({
      amount: amountForPeople(amount_total ?? 0, currency ?? ''),
      description: session.paymentIntentData.description ?? 'Payment',
      problem: wrongNumber ?? payment?.object.last_payment_error?.message,
      cancelUrl: cancelUrl(session),
    }),
  );
}

function result({ object }: PaymentRecord, onward?: string): PageAnswer {
  const amount = amountForPeople(object.amount, object.currency);
  const texts: Readonly<Record<string, readonly [title: string, text: string]>> = {
    succeeded: ['Paid', `${amount} were paid.`],
    requires_capture: ['Held', `${amount} are held, and not taken yet.`],
    processing: ['Not decided yet', `${amount} are on their way; the bank has not decided yet.`],
    canceled: ['Cancelled', 'This payment was cancelled.'],
  };
  const [title, text] = texts[object.status] ?? ['Waiting', 'This payment is waiting.'];
  return shown(resultPage(title, text, onward));
}

function paymentIfAny(account: StripeAccount, { object }: SessionRecord): PaymentRecord | undefined {
  return typeof object.payment_intent === 'string' ? account.payments.get(object.payment_intent) : undefined;
}

function isPayable({ object }: PaymentRecord): boolean {
  return object.status === 'requires_payment_method' || object.status === 'requires_confirmation';
}

function successUrl({ object }: SessionRecord): string {
  return safeUrl(object.success_url?.replaceAll('{CHECKOUT_SESSION_ID}', object.id)) ?? '/';
}

function cancelUrl({ object }: SessionRecord): string | undefined {
  return safeUrl(object.cancel_url ?? undefined);
}
