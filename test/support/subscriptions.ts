import { randomUUID } from 'node:crypto';
import { eventually } from './eventually.js';
import { dataOf, type GraphQLAnswer, type RunningApp } from './running-app.js';
import type { TestCustomer } from './customers.js';

const SUBSCRIPTION = `
  id status amount currency interval intervalCount cancelAtPeriodEnd currentPeriodEndsAt endedAt
  lines { name quantity unitAmount }
  orders { id status amount lines { sku name quantity unitAmount }
    paymentIntents { id status version capturedAmount refundedAmount failureCode attempts { number status provider } } }`;

export const MONTH = 31 * 24 * 3_600_000;

/** A product that is paid each month. */
export function monthly(app: RunningApp, product: object = {}) {
  return app.addProduct({
    ...{ name: 'Magazine', unitAmount: 690, currency: 'EUR', stock: null },
    ...{ recurringInterval: 'MONTH', recurringIntervalCount: 1 },
    ...product,
  });
}

export async function subscribeTo(
  app: RunningApp,
  customer: TestCustomer,
  input: object,
  token = app.apiKey,
): Promise<GraphQLAnswer> {
  return app.graphql(
    `mutation ($input: CreateRecurringSubscriptionInput!) { createRecurringSubscription(input: $input) {
      subscription { ${SUBSCRIPTION} }
      nextAction { __typename ... on ConfirmWithStripe { clientSecret publishableKey } } } }`,
    { input: { customerId: customer.id, idempotencyKey: randomUUID(), ...input } },
    token,
  );
}

export async function readSubscription(app: RunningApp, id: string, token = app.apiKey): Promise<any> {
  const query = `query ($id: ID!) { recurringSubscription(id: $id) { ${SUBSCRIPTION} } }`;
  return dataOf(await app.graphql(query, { id }, token)).recurringSubscription;
}

export function cancelSubscription(app: RunningApp, id: string, atPeriodEnd: boolean, token = app.apiKey) {
  return app.graphql(
    `mutation ($id: ID!, $atPeriodEnd: Boolean!) {
      cancelRecurringSubscription(id: $id, atPeriodEnd: $atPeriodEnd) { ${SUBSCRIPTION} } }`,
    { id, atPeriodEnd },
    token,
  );
}

export function untilSubscription(
  app: RunningApp,
  id: string,
  isThere: (subscription: any) => boolean,
): Promise<any> {
  return eventually(() => readSubscription(app, id), isThere);
}

/** The statuses of its payments, the oldest first. */
export function paymentsOf(subscription: any): { id: string; status: string; failureCode: string | null }[] {
  return subscription.orders.flatMap((order: any) => order.paymentIntents).reverse();
}

export const stands =
  (status: string, ...payments: string[]) =>
  (subscription: any): boolean =>
    subscription.status === status &&
    paymentsOf(subscription)
      .map((payment) => payment.status)
      .join() === payments.join();
