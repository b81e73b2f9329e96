import type { StatusChangedPayload } from '../../payments/status-changed.js';
import { TEST_TYPE, typeOfChange, type MessageType } from './message-type.js';

/** Of what `data` holds. It gets a new date when a field changes its meaning or goes; new fields may come any time. */
const API_VERSION = '2026-11-30';

/** A message, in the very bytes that are sent and signed at each try. */
export interface Message {
  readonly type: MessageType;
  readonly text: string;
}

/** A payment as it was right after the step. Thin: who wants more asks the API. */
export function paymentMessage(change: StatusChangedPayload, orderNumber: string | null): Message {
  const { status, previousStatus, version, occurredAt, orderReference, paymentIntent, cause } = change;
  const { reference, amount, currency, capturedAmount, refundedAmount, disputedAmount, failureCode } =
    paymentIntent;
  return message(typeOfChange(change), occurredAt, {
    paymentIntentId: reference,
    orderId: orderReference,
    orderNumber,
    status,
    previousStatus,
    version,
    amount,
    currency,
    capturedAmount,
    refundedAmount,
    disputedAmount,
    failureCode,
    refundId: cause && 'refundReference' in cause ? cause.refundReference : null,
    disputeId: cause && 'disputeReference' in cause ? cause.disputeReference : null,
    occurredAt,
  });
}

/** @param now by the database's clock, as of every message. */
export function testMessage(endpointReference: string, now: Date): Message {
  const occurredAt = now.toISOString();
  return message(TEST_TYPE, occurredAt, { webhookEndpointId: endpointReference, occurredAt });
}

function message(type: MessageType, timestamp: string, data: object): Message {
  return { type, text: JSON.stringify({ type, timestamp, apiVersion: API_VERSION, data }) };
}
