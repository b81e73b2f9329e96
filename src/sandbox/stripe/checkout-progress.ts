import type { PaymentRecord, StripeAccount } from './account.js';

/** A Checkout Session follows its PaymentIntent: paid, on its way, or failed after it was thought to be on its way. */
export function followPayment(account: StripeAccount, payment: PaymentRecord): void {
  const session =
    payment.sessionId === undefined ? undefined : account.sessions.get(payment.sessionId)?.object;
  if (!session) return;
  const { status } = payment.object;
  const wasAwaited = session.status === 'complete';
  if (status === 'succeeded') {
    session.status = 'complete';
    session.payment_status = 'paid';
    session.url = null;
    const type = wasAwaited ? 'checkout.session.async_payment_succeeded' : 'checkout.session.completed';
    account.emit(type, session, payment.object.id);
  } else if (status === 'processing') {
    session.status = 'complete';
    session.url = null;
    account.emit('checkout.session.completed', session, payment.object.id);
  } else if (wasAwaited) {
    account.emit('checkout.session.async_payment_failed', session, payment.object.id);
  }
}
