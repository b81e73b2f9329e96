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
    { input: { paymentIntentId: id, ...input } },
    token,
  );
}

export function capturePayment(
  app: RunningApp,
  { id }: Payment,
  amount?: number,
  token = app.apiKey,
): Promise<GraphQLAnswer> {
  return app.graphql(
    `mutation ($input: CapturePaymentIntentInput!) { capturePaymentIntent(input: $input) { ${PAYMENT} } }`,
    { input: { paymentIntentId: id, amount } },
    token,
  );
}

export function settleReview(
  app: RunningApp,
  { id }: Payment,
  decision: 'ACCEPT' | 'REFUND' | 'CLOSE',
  token = app.operatorToken,
  reason = 'talked to the payer',
): Promise<GraphQLAnswer> {
  return app.graphql(
    `mutation ($input: SettlePaymentReviewInput!) { settlePaymentReview(input: $input) { ${PAYMENT} } }`,
    { input: { paymentIntentId: id, decision, reason } },
    token,
  );
}

export function verifyPayment(app: RunningApp, { id }: Payment, token: string): Promise<GraphQLAnswer> {
  return app.graphql(`mutation ($id: ID!) { verifyPaymentIntent(id: $id) { ${PAYMENT} } }`, { id }, token);
}

/** The whole payment, as a backend reads it. */
export async function readAsStaff(app: RunningApp, { id }: Payment, token = app.apiKey): Promise<any> {
  const query = `query ($id: ID!) { paymentIntent(id: $id) { ${PAYMENT} } }`;
  return dataOf(await app.graphql(query, { id }, token)).paymentIntent;
}
