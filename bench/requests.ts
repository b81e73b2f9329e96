import { randomUUID } from 'node:crypto';
import Stripe from 'stripe';
import { OrderTokens } from '../src/access/order-token.js';
import type { CreateRequest } from './floor/create.js';
import { post } from './http-connection.js';
import { KEYS } from './stage.js';
import { AMOUNT, type OrderToPay, type PaymentToSettle } from './supply.js';

const tokens = new OrderTokens(KEYS.secret, 24 * 60 * 60 * 1_000);

export const tokenOf = (orderReference: string): Promise<string> => tokens.sign(orderReference);

const CREATE_PAYMENT = `mutation CreatePaymentIntent($input: CreatePaymentIntentInput!) {
  createPaymentIntent(input: $input) {
    paymentIntent { id status version amount currency }
    nextAction {
      __typename
      ... on ConfirmWithStripe { clientSecret publishableKey }
      ... on RedirectToUrl { url }
    }
  }
}`;

/** As a payer's browser sends it. */
export async function createRequest({ reference }: OrderToPay): Promise<Buffer> {
  const input = { orderId: reference, provider: 'stripe', method: 'CARD', idempotencyKey: randomUUID() };
  const body = JSON.stringify({ query: CREATE_PAYMENT, variables: { input } });
  return post('/graphql', body, {
    authorization: `Bearer ${await tokenOf(reference)}`,
    origin: 'https://shop.example',
  });
}

export function floorCreateRequest(path: string, { id, reference, productId }: OrderToPay): Buffer {
  const request: CreateRequest = {
    orderId: id,
    orderReference: reference,
    productId,
    amount: AMOUNT,
    idempotencyKey: randomUUID(),
  };
  return post(path, JSON.stringify(request));
}

/** Makes signed `payment_intent.succeeded` of real size: around a PaymentIntent as the provider answers it. */
export class Notifications {
  private constructor(private readonly paymentIntent: object) {}

  static async like(doublePort: number): Promise<Notifications> {
    const stripe = new Stripe(KEYS.stripeSecretKey, {
      protocol: 'http',
      host: '127.0.0.1',
      port: doublePort,
    });
    const metadata = { quittance_attempt: 'none' };
    return new Notifications(
      await stripe.paymentIntents.create({ amount: AMOUNT, currency: 'eur', metadata, description: 'ORD' }),
    );
  }

  /** Good for five minutes: Stripe's own tolerance. */
  request(path: string, { intentReference, providerReference, orderReference }: PaymentToSettle): Buffer {
    const event = {
      id: `evt_${randomUUID().replaceAll('-', '')}`,
      object: 'event',
      api_version: Stripe.API_VERSION,
      created: Math.floor(Date.now() / 1_000),
      data: {
        object: {
          ...this.paymentIntent,
          id: providerReference,
          description: orderReference,
          status: 'succeeded',
          amount_received: AMOUNT,
          metadata: { quittance_attempt: `${intentReference}-1` },
        },
      },
      livemode: false,
      pending_webhooks: 1,
      request: null,
      type: 'payment_intent.succeeded',
    };
    const payload = JSON.stringify(event, null, 2);
    const signature = Stripe.webhooks.generateTestHeaderString({ payload, secret: KEYS.webhookSecret });
    return post(path, payload, { 'stripe-signature': signature });
  }
}
