import { ask } from './ask.js';
import type { PlacedOrder } from './shop-api.js';

/** What a merchant's backend asks of the server, with its API key: payers see none of it. */
export interface MerchantApi {
  timeline(paymentId: string): Promise<TimelineEntry[]>;
  /** To customers and to the merchant, about one order, the newest first. */
  emails(order: PlacedOrder): Promise<EmailShown[]>;
  /** Of payments that were paid. */
  createWebhookEndpoint(url: string): Promise<CreatedEndpoint>;
  deleteWebhookEndpoint(id: string): Promise<void>;
}

export interface TimelineEntry {
  readonly at: string;
  readonly summary: string;
}

export interface EmailShown {
  readonly id: string;
  readonly template: string;
  readonly status: string;
}

export interface CreatedEndpoint {
  readonly id: string;
  readonly secret: string;
}

const TIMELINE = 'query ($id: ID!) { paymentTimeline(id: $id) { at summary } }';
const EMAILS =
  'query ($orderId: ID!) { emailMessages(filter: { orderId: $orderId }) { edges { node { id template status } } } }';
const CREATE_ENDPOINT = `mutation ($url: String!) {
  createWebhookEndpoint(input: { url: $url, types: [PAYMENT_PAID] }) { webhookEndpoint { id } secret }
}`;
const DELETE_ENDPOINT = 'mutation ($id: ID!) { deleteWebhookEndpoint(id: $id) }';

export function merchantApi(url: string, apiKey: string): MerchantApi {
  return {
    async timeline(id) {
      return (await ask<{ paymentTimeline: TimelineEntry[] }>(url, TIMELINE, { id }, apiKey)).paymentTimeline;
    },
    async emails({ id: orderId }) {
      const { emailMessages } = await ask<{ emailMessages: { edges: { node: EmailShown }[] } }>(
        url,
        EMAILS,
        { orderId },
        apiKey,
      );
      return emailMessages.edges.map(({ node }) => node);
    },
    async createWebhookEndpoint(endpointUrl) {
      const { createWebhookEndpoint: created } = await ask<{
        createWebhookEndpoint: { webhookEndpoint: { id: string }; secret: string };
      }>(url, CREATE_ENDPOINT, { url: endpointUrl }, apiKey);
      return { id: created.webhookEndpoint.id, secret: created.secret };
    },
    async deleteWebhookEndpoint(id) {
      await ask(url, DELETE_ENDPOINT, { id }, apiKey);
    },
  };
}
