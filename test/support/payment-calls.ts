import type { Product } from '../../src/orders/product.js';
import { CREATE_PAYMENT, dataOf, type GraphQLAnswer, type RunningApp } from './running-app.js';
import { watch } from './subscriber.js';

/** What a client may know of a payment. */
const PAYMENT = `
  id status version amount currency capturedAmount refundedAmount disputedAmount failureCode failureMessage
  order { id status amount reservedUntil }
  attempts { number provider method presentation amount status failureCode }
  nextAction { ... on ConfirmWithStripe { clientSecret } ... on RedirectToUrl { url } }`;

/** An order of a product of its own. */
export async function orderOf(app: RunningApp, given: Partial<Product> = {}, quantity = 1) {
  const product = await app.addProduct({ stock: 10, ...given });
  return { ...(await app.order(product.sku, quantity)), product, sku: product.sku };
}

/** Opens a payment, or is refused: the answer whole. */
export function createPayment(
  app: RunningApp,
  orderId: string,
  token: string,
  input: object = {},
): Promise<GraphQLAnswer> {
  return app.graphql(CREATE_PAYMENT, { input: { orderId, ...input } }, token);
}

export async function readPayment(app: RunningApp, id: string, token: string): Promise<any> {
  const query = `query ($id: ID!) { paymentIntent(id: $id) { ${PAYMENT} } }`;
  return dataOf(await app.graphql(query, { id }, token)).paymentIntent;
}

export async function readOrder(app: RunningApp, orderId: string, token: string): Promise<any> {
  const query = `query ($id: ID!) { order(id: $id) { status amount reservedUntil paymentIntents { id status } } }`;
  return dataOf(await app.graphql(query, { id: orderId }, token)).order;
}

/** How many pieces can be ordered now, as everybody sees it. */
export async function available(app: RunningApp, sku: string): Promise<number> {
  const { products } = dataOf(await app.graphql('{ products { sku available } }'));
  return products.find((product: { sku: string }) => product.sku === sku).available;
}

export function cancelPayment(app: RunningApp, id: string, token: string): Promise<GraphQLAnswer> {
  return app.graphql(`mutation ($id: ID!) { cancelPaymentIntent(id: $id) { ${PAYMENT} } }`, { id }, token);
}

export function cancelOrder(app: RunningApp, orderId: string, token: string): Promise<GraphQLAnswer> {
  return app.graphql(`mutation ($id: ID!) { cancelOrder(id: $id) { status } }`, { id: orderId }, token);
}

export function updatePayment(app: RunningApp, id: string, token: string): Promise<GraphQLAnswer> {
  return app.graphql(
    `mutation ($input: UpdatePaymentIntentInput!) { updatePaymentIntent(input: $input) { ${PAYMENT} } }`,
    { input: { paymentIntentId: id } },
    token,
  );
}

/** The payer changes how many they want. */
export async function changeQuantity(
  app: RunningApp,
  orderId: string,
  token: string,
  sku: string,
  quantity: number,
): Promise<void> {
  const mutation = `mutation ($input: UpdateOrderInput!) { updateOrder(input: $input) { amount } }`;
  dataOf(await app.graphql(mutation, { input: { orderId, lines: [{ sku, quantity }] } }, token));
}

/** Watches a payment until it stands so; gives all statuses that were told. */
export async function untilStatus(
  app: RunningApp,
  id: string,
  token: string,
  status: string,
  sinceVersion?: number,
): Promise<string[]> {
  const watcher = watch(app, id, token, sinceVersion);
  try {
    const heard = await watcher.until((all) => all.at(-1)?.status === status, 10_000);
    return heard.map((change) => change.status);
  } finally {
    await watcher.close();
  }
}

/** The id in the address of a Checkout Session's page. */
export function sessionIn(url: string): string {
  return new URL(url).pathname.split('/').at(-1)!;
}
