import { randomUUID } from 'node:crypto';
import { dataOf, type GraphQLAnswer, type RunningApp } from './running-app.js';

/** What staff and backends know of a payment. */
const PAYMENT = `
  id status version amount captureMethod capturedAmount refundedAmount disputedAmount failureCode failureMessage
  order { id status refundedAt reservedUntil }
  attempts { number status provider }
  refunds { id amount status origin reason failureCode }
  disputes { amount status reason provider providerReference respondByAt settledAt }`;

interface Payment {
  readonly id: string;
}

/** @param input with an idempotencyKey of its own, unless given. */
export function refundPayment(
  app: RunningApp,
  { id }: Payment,
  input: object = {},
  token = app.apiKey,
): Promise<GraphQLAnswer> {
  return app.graphql(
    `mutation ($input: RefundPaymentInput!) {
      refundPayment(input: $input) { id amount currency status reason restock origin failureCode failureMessage }
    }`,
    { input: { paymentIntentId: id, idempotencyKey: randomUUID(), ...input } },
    token,
  );
}

export function capturePayment(
  app: RunningApp,
  { id }: Payment,
  amount?: number,
  token = app.apiKey,
  idempotencyKey: string = randomUUID(),
): Promise<GraphQLAnswer> {
  return app.graphql(
    `mutation ($input: CapturePaymentIntentInput!) { capturePaymentIntent(input: $input) { ${PAYMENT} } }`,
    { input: { paymentIntentId: id, amount, idempotencyKey } },
    token,
  );
}

/** What an operator saw of a payment before they decide. */
export interface Seen {
  readonly version: number;
  readonly capturedAmount: number;
  readonly refundedAmount: number;
  readonly disputedAmount: number;
}

/** @param seen as it is now, unless told. */
export async function settleReview(
  app: RunningApp,
  payment: Payment,
  decision: 'ACCEPT' | 'REFUND' | 'CLOSE',
  token = app.operatorToken,
  reason = 'talked to the payer',
  seen?: Seen,
  idempotencyKey: string = randomUUID(),
): Promise<GraphQLAnswer> {
  const saw = seen ?? (await seenOf(app, payment));
  return app.graphql(
    `mutation ($input: SettlePaymentReviewInput!) { settlePaymentReview(input: $input) { ${PAYMENT} } }`,
    { input: { paymentIntentId: payment.id, decision, reason, seen: saw, idempotencyKey } },
    token,
  );
}

/** A payment that isn't there was never seen. */
export async function seenOf(app: RunningApp, { id }: Payment): Promise<Seen> {
  const query = `query ($id: ID!) {
    paymentIntent(id: $id) { version capturedAmount refundedAmount disputedAmount }
  }`;
  const { data } = await app.graphql(query, { id }, app.operatorToken);
  return data?.paymentIntent ?? { version: 1, capturedAmount: 0, refundedAmount: 0, disputedAmount: 0 };
}

export function verifyPayment(app: RunningApp, { id }: Payment, token: string): Promise<GraphQLAnswer> {
  return app.graphql(`mutation ($id: ID!) { verifyPaymentIntent(id: $id) { ${PAYMENT} } }`, { id }, token);
}

/** The whole payment, as a backend reads it. */
export async function readAsStaff(app: RunningApp, { id }: Payment, token = app.apiKey): Promise<any> {
  const query = `query ($id: ID!) { paymentIntent(id: $id) { ${PAYMENT} } }`;
  return dataOf(await app.graphql(query, { id }, token)).paymentIntent;
}
