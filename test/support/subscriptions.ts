import { randomUUID } from 'node:crypto';
import { eventually } from './eventually.js';
import { newCustomer, saveCard, type TestCustomer } from './customers.js';
import { dataOf, type GraphQLAnswer, type RunningApp } from './running-app.js';

const SUBSCRIPTION = `
  id status amount currency interval intervalCount cancelAtPeriodEnd currentPeriodEndsAt endedAt
  lines { name quantity unitAmount }
  orders { id status amount lines { sku name quantity unitAmount }
    paymentIntents { id status version amount capturedAmount refundedAmount failureCode failureMessage attempts { number status provider } } }`;

const VISA = '4242424242424242';

export const DAY = 24 * 3_600_000;
export const MONTH = 31 * DAY;

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

/**
 * Waits until it is there, and gives what is read after that: an order and its payments are not read in one snapshot, so the
 * answer in which a payment is PAID for the first time may hold the order as it was just before.
 */
export async function untilSubscription(
  app: RunningApp,
  id: string,
  isThere: (subscription: any) => boolean,
): Promise<any> {
  await eventually(() => readSubscription(app, id), isThere);
  return readSubscription(app, id);
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

export const lines = (sku: string, quantity = 1) => [{ sku, quantity }];

/** Nothing of Stripe's is on its way, and all that it told has been followed. */
export async function allIsHeard(app: RunningApp): Promise<void> {
  await app.stripe.settled();
  await eventually(
    () => app.dataSource.query(`SELECT * FROM webhook_event WHERE status IN ('WAITING', 'PARKED')`),
    (rows) => rows.length === 0,
  );
}

/** Active, with a card that is charged each month. */
export async function activeSubscription(app: RunningApp) {
  const customer = await newCustomer(app);
  const { id: savedMethodId } = await saveCard(app, customer, VISA);
  const { sku } = await monthly(app);
  const answer = await subscribeTo(app, customer, { lines: lines(sku, 2), savedMethodId });
  const { id } = dataOf(answer).createRecurringSubscription.subscription;
  await untilSubscription(app, id, stands('ACTIVE', 'PAID'));
  await allIsHeard(app);
  return { customer, id, sku };
}

/** The provider's id of it. */
export async function atProvider(app: RunningApp, id: string): Promise<string> {
  const sql = 'SELECT provider_reference AS reference FROM recurring_subscription WHERE reference = $1';
  const [{ reference }] = await app.dataSource.query(sql, [id]);
  return reference;
}

/** Somebody does something in the provider's dashboard. */
export async function inDashboard(
  app: RunningApp,
  path: string,
  body: Record<string, string> = {},
  method = 'POST',
) {
  const response = await fetch(new URL(`/v1/${path}`, app.stripe.url), {
    method,
    headers: {
      authorization: `Bearer ${app.stripeSecretKey}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams(body),
  });
  const answer: any = await response.json();
  expect(answer.error).toBeUndefined();
  return answer;
}

/** At the provider: another card pays for the subscription. */
export async function chargeFromNowOn(
  app: RunningApp,
  { customer, id }: { readonly customer: TestCustomer; readonly id: string },
  card: string,
): Promise<void> {
  const method = await saveCard(app, customer, card);
  const [{ reference }] = await app.dataSource.query(
    'SELECT provider_reference AS reference FROM saved_payment_method WHERE reference = $1',
    [method.id],
  );
  await inDashboard(app, `subscriptions/${await atProvider(app, id)}`, { default_payment_method: reference });
  await allIsHeard(app);
}

/** What Stripe has taken for subscriptions is what our books say, invoice by invoice. */
export async function expectEachChargeToBeOneMovement(app: RunningApp) {
  const movements: { reference: string; amount: number }[] = await app.dataSource.query(
    `SELECT m.provider_reference AS reference, m.amount FROM movement m WHERE m.kind = 'CAPTURE' ORDER BY 1`,
  );
  const charged = app.stripe
    .charges()
    .filter(({ status }) => status === 'succeeded')
    .map(({ paymentIntentId: reference, amount }) => ({ reference, amount }));
  const byReference = (one: { reference: string }, other: { reference: string }) =>
    one.reference < other.reference ? -1 : 1;
  expect(movements.sort(byReference)).toEqual(charged.sort(byReference));
}
