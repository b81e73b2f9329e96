import type { PaymentRecord, StripeAccount } from './account.js';

/** A Checkout Session follows its PaymentIntent: paid, held, on its way, or failed after it was thought to be on its way. */
export function followCheckout(account: StripeAccount, payment: PaymentRecord): void {
  const session =
    payment.sessionId === undefined ? undefined : account.sessions.get(payment.sessionId)?.object;
  if (!session) return;
  const { status } = payment.object;
  const wasAwaited = session.status === 'complete';
  if (status === 'succeeded' && payment.object.capture_method === 'manual') {
    // It was completed when the money was held; that it is captured is the PaymentIntent's to tell.
    session.payment_status = 'paid';
  } else if (status === 'succeeded') {
    session.status = 'complete';
    session.payment_status = 'paid';
    session.url = null;
    const type = wasAwaited ? 'checkout.session.async_payment_succeeded' : 'checkout.session.completed';
    account.emit(type, session, payment.object.id);
  } else if (status === 'processing' || status === 'requires_capture') {
    session.status = 'complete';
    session.url = null;
    account.emit('checkout.session.completed', session, payment.object.id);
  } else if (wasAwaited && status === 'requires_payment_method') {
    account.emit('checkout.session.async_payment_failed', session, payment.object.id);
  }
}
