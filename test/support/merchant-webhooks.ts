import { eventually } from './eventually.js';
import { dataOf, type RunningApp } from './running-app.js';

const CREATE = `mutation ($input: CreateWebhookEndpointInput!) {
  createWebhookEndpoint(input: $input) { secret webhookEndpoint { id url types status } }
}`;

const DELIVERIES = `query ($filter: WebhookDeliveryFilter, $first: Int, $after: String) {
  webhookDeliveries(filter: $filter, first: $first, after: $after) {
    edges { cursor node {
      id type payload status nextTryAt createdAt endpoint { id status disabledReason failingSince restUntil }
      tries { url requestHeaders answerStatus answerBody error milliseconds startedAt }
    } }
    pageInfo { hasNextPage endCursor }
  }
}`;

const SEND_TEST = 'mutation ($id: ID!) { sendTestWebhook(endpointId: $id) { id type status } }';

export interface TestEndpoint {
  readonly id: string;
  readonly secret: string;
}

export async function addEndpoint(app: RunningApp, url: string, types?: string[]): Promise<TestEndpoint> {
  const answer = await app.graphql(CREATE, { input: { url, types } }, app.apiKey);
  const { secret, webhookEndpoint } = dataOf(answer).createWebhookEndpoint;
  return { id: webhookEndpoint.id, secret };
}

export async function pageOfDeliveries(app: RunningApp, variables: object): Promise<any> {
  return dataOf(await app.graphql(DELIVERIES, variables, app.apiKey)).webhookDeliveries;
}

/** To an endpoint, the newest first. */
export async function deliveriesTo(app: RunningApp, { id }: { id: string }, filter = {}): Promise<any[]> {
  const { edges } = await pageOfDeliveries(app, { filter: { endpointId: id, ...filter }, first: 200 });
  return edges.map(({ node }: any) => node);
}

export async function sendTest(app: RunningApp, { id }: { id: string }): Promise<string> {
  return dataOf(await app.graphql(SEND_TEST, { id }, app.apiKey)).sendTestWebhook.id;
}

/** Waits until a delivery has been tried so often; gives it. */
export async function untilTried(app: RunningApp, endpoint: { id: string }, id: string, tries = 1) {
  const look = async () => (await deliveriesTo(app, endpoint)).find((delivery) => delivery.id === id);
  await eventually(look, (delivery) => delivery?.tries.length === tries);
  // A delivery is read before its tries: what was read together may be from before and after the last one.
  return look();
}

/** The time of its next try has come. */
export async function makeDue(app: RunningApp, id: string): Promise<void> {
  await app.dataSource.query(
    `UPDATE webhook_delivery SET next_try_at = now() WHERE message_id = $1 AND status = 'PENDING'`,
    [id],
  );
}

/** A card payment: PENDING. */
export async function openPayment(app: RunningApp, product = {}) {
  const { sku } = await app.addProduct(product);
  const { orderId, token } = await app.order(sku);
  const payment = await app.pay(orderId, token, { method: 'CARD' });
  return { ...payment, orderId, token };
}
