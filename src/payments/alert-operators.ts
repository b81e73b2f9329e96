import type { Logger } from 'pino';
import type { TellableEvent } from '../outbox/relay.js';
import { TOO_MANY_DECLINES } from './declines.js';
import { PAYMENT_STATUS_CHANGED } from '../outbox/topics.js';
import type { StatusChangedPayload } from './status-changed.js';

/**
 * Money that did not fit and money that is disputed are said loudly, once they are committed: at the level on which
 * people are woken. Told twice after a crash, as everything the relay tells.
 */
export function alertOperators(log: Logger, event: TellableEvent): void {
  if (event.topic !== PAYMENT_STATUS_CHANGED) return;
  const { status, previousStatus, noted, paymentIntent } = event.payload as StatusChangedPayload;
  const { reference, failureCode, failureMessage } = paymentIntent;
  const fields = { paymentIntent: reference, status, failureCode, failureMessage };
  if (status === 'DISPUTED' && previousStatus !== status) {
    log.error(fields, 'a payment is disputed: evidence can be given at the provider');
  } else if (status === 'REVIEW' && previousStatus !== status) {
    log.error(
      fields,
      'a payment is under review: settlePaymentReview, unless its money is going back by itself',
    );
  } else if (status === 'CANCELLED' && failureCode === TOO_MANY_DECLINES && previousStatus !== status) {
    log.error(fields, 'a payment was cancelled after too many declines: somebody may be trying cards out');
  } else if (noted === 'CAPTURED_TWICE') {
    log.error(fields, 'a payer paid twice: the second money goes back, by itself where its provider can');
  } else if (noted !== undefined) {
    log.error(fields, 'something is wrong with a payment that stays as it is: look at it at the provider');
  }
}
