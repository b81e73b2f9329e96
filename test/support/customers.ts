import { randomUUID } from 'node:crypto';
import { eventually } from './eventually.js';
import { CREATE_PAYMENT, dataOf, type GraphQLAnswer, type RunningApp } from './running-app.js';

export interface TestCustomer {
  readonly id: string;
  readonly externalId: string;
  readonly email: string;
  /** With which they see and change what they have saved. */
  readonly token: string;
}

export interface SavedMethod {
  readonly id: string;
  readonly brand: string;
  readonly last4: string;
  readonly expiryMonth: number;
  readonly expiryYear: number;
}

export async function newCustomer(app: RunningApp, input: object = {}): Promise<TestCustomer> {
  const externalId = `user-${randomUUID()}`;
  const email = `${externalId}@customer.example`;
  const answer = await createCustomer(app, { externalId, email, name: 'Awa Diop', ...input });
  const { id } = dataOf(answer).createCustomer;
  return { id, externalId, email, token: await customerToken(app, id) };
}

export function createCustomer(app: RunningApp, input: object, token = app.apiKey): Promise<GraphQLAnswer> {
  return app.graphql(
    'mutation ($input: CreateCustomerInput!) { createCustomer(input: $input) { id externalId email name locale } }',
    { input },
    token,
  );
}

async function customerToken(app: RunningApp, id: string): Promise<string> {
  const query = 'mutation ($id: ID!) { createCustomerToken(customerId: $id) }';
  return dataOf(await app.graphql(query, { id }, app.apiKey)).createCustomerToken;
}

export function beginSetup(app: RunningApp, customerId: string, token: string, input: object = {}) {
  return app.graphql(
    `mutation ($input: SetUpPaymentMethodInput!) { setUpPaymentMethod(input: $input) {
      nextAction { __typename ... on ConfirmWithStripe { clientSecret publishableKey } } } }`,
    { input: { customerId, ...input } },
    token,
  );
}

export function listSaved(app: RunningApp, customerId: string, token: string, refresh = false) {
  return app.graphql(
    `query ($id: ID!, $refresh: Boolean!) { savedPaymentMethods(customerId: $id, refresh: $refresh) {
      id brand last4 expiryMonth expiryYear provider detached } }`,
    { id: customerId, refresh },
    token,
  );
}

export function detach(app: RunningApp, id: string, token: string) {
  return app.graphql('mutation ($id: ID!) { detachPaymentMethod(id: $id) { id detached } }', { id }, token);
}

/** Waits until the customer has so many saved. */
export async function untilSaved(app: RunningApp, customer: TestCustomer, count = 1): Promise<SavedMethod[]> {
  return eventually(
    async () => dataOf(await listSaved(app, customer.id, customer.token)).savedPaymentMethods,
    (methods) => methods.length === count,
  );
}

/** The customer leaves a card, and we have heard of it. */
export async function saveCard(app: RunningApp, customer: TestCustomer, card: string): Promise<SavedMethod> {
  const before = dataOf(await listSaved(app, customer.id, customer.token)).savedPaymentMethods.length;
  const { nextAction } = dataOf(await beginSetup(app, customer.id, customer.token)).setUpPaymentMethod;
  app.stripe.completeSetup(nextAction.clientSecret, card);
  const [newest] = await untilSaved(app, customer, before + 1);
  return newest!;
}

/** By the shop's backend, for its customer. */
export async function orderFor(app: RunningApp, customer: TestCustomer, product: object = {}) {
  const { sku } = await app.addProduct({ unitAmount: 1_500, currency: 'EUR', ...product });
  const answer = await app.graphql(
    'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { order { id customer { email } } orderToken } }',
    { input: { lines: [{ sku, quantity: 1 }], customerId: customer.id } },
    app.apiKey,
  );
  const { order, orderToken } = dataOf(answer).createOrder;
  return { orderId: order.id as string, token: orderToken as string, sku, customer: order.customer };
}

/** @param input with an idempotencyKey of its own where a backend asks, unless given. */
export function payWith(
  app: RunningApp,
  orderId: string,
  token: string,
  input: object,
): Promise<GraphQLAnswer> {
  const key = token === app.apiKey ? { idempotencyKey: randomUUID() } : {};
  return app.graphql(CREATE_PAYMENT, { input: { orderId, ...key, ...input } }, token);
}
