import { DemoError, reach } from './demo-error.js';

/** What a frontend asks of the server: plain GraphQL over HTTP, as anybody would write it. */
export interface ShopApi {
  readonly url: string;
  products(): Promise<ProductShown[]>;
  order(sku: string, quantity: number): Promise<PlacedOrder>;
  /** @param country the payer's, ISO 3166-1 alpha-2. */
  paymentOptions(order: PlacedOrder, country: string): Promise<PaymentOption[]>;
  pay(order: PlacedOrder, input: object): Promise<OpenedPayment>;
  attempts(order: PlacedOrder, paymentId: string): Promise<AttemptShown[]>;
  orderStatus(order: PlacedOrder): Promise<string>;
  /** With the backend's key: payers don't see it. */
  timeline(paymentId: string): Promise<TimelineEntry[]>;
}

export interface ProductShown {
  readonly sku: string;
  readonly name: string;
  readonly formatted: string;
  /** Null where nobody counts. */
  readonly available: number | null;
}

export interface PlacedOrder {
  readonly id: string;
  readonly formatted: string;
  /** Opens this order and its payments, and nothing else. */
  readonly token: string;
}

export interface PaymentOption {
  readonly provider: string;
  readonly method: string;
  readonly presentation: string;
}

export interface OpenedPayment {
  readonly id: string;
  readonly status: string;
  readonly nextAction: NextAction;
}

/** Of which kind it is shows in what there is. */
export interface NextAction {
  readonly clientSecret?: string;
  readonly url?: string;
  readonly operator?: string;
  readonly instructions?: readonly string[];
}

export interface AttemptShown {
  readonly number: number;
  readonly provider: string;
  readonly status: string;
  readonly failureCode: string | null;
  readonly failureMessage: string | null;
}

export interface TimelineEntry {
  readonly at: string;
  readonly summary: string;
}

const CUSTOMER = { name: 'Awa Diop', email: 'awa@example.com' };

const PRODUCTS = '{ products { sku name formatted available } }';
const CREATE_ORDER =
  'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { order { id formatted } orderToken } }';
const OPTIONS =
  'query ($id: ID!, $country: String!) { paymentOptions(orderId: $id, country: $country) { provider method presentation } }';
const PAY = `mutation ($input: CreatePaymentIntentInput!) { createPaymentIntent(input: $input) {
  paymentIntent { id status }
  nextAction {
    ... on ConfirmWithStripe { clientSecret }
    ... on RedirectToUrl { url }
    ... on ApproveOnPhone { operator instructions }
  }
} }`;
const ATTEMPTS =
  'query ($id: ID!) { paymentIntent(id: $id) { attempts { number provider status failureCode failureMessage } } }';
const ORDER_STATUS = 'query ($id: ID!) { order(id: $id) { status } }';
const TIMELINE = 'query ($id: ID!) { paymentTimeline(id: $id) { at summary } }';

/** @param apiKey a backend's. */
export function shopApi(url: string, apiKey: string): ShopApi {
  return {
    url,
    async products() {
      const { products } = await ask<{ products: ProductShown[] }>(url, PRODUCTS);
      return products;
    },
    async order(sku, quantity) {
      const input = { lines: [{ sku, quantity }], customer: CUSTOMER };
      const { createOrder } = await ask<{
        createOrder: { order: { id: string; formatted: string }; orderToken: string };
      }>(url, CREATE_ORDER, { input });
      return { ...createOrder.order, token: createOrder.orderToken };
    },
    async paymentOptions({ id, token }, country) {
      const variables = { id, country };
      return (await ask<{ paymentOptions: PaymentOption[] }>(url, OPTIONS, variables, token)).paymentOptions;
    },
    async pay({ id, token }, input) {
      const { createPaymentIntent } = await ask<{
        createPaymentIntent: {
          paymentIntent: { id: string; status: string };
          nextAction: NextAction | null;
        };
      }>(url, PAY, { input: { orderId: id, ...input } }, token);
      return { ...createPaymentIntent.paymentIntent, nextAction: createPaymentIntent.nextAction ?? {} };
    },
    async attempts({ token }, id) {
      const answer = await ask<{ paymentIntent: { attempts: AttemptShown[] } }>(url, ATTEMPTS, { id }, token);
      return answer.paymentIntent.attempts;
    },
    async orderStatus({ id, token }) {
      return (await ask<{ order: { status: string } }>(url, ORDER_STATUS, { id }, token)).order.status;
    },
    async timeline(id) {
      return (await ask<{ paymentTimeline: TimelineEntry[] }>(url, TIMELINE, { id }, apiKey)).paymentTimeline;
    },
  };
}

async function ask<Data>(url: string, query: string, variables: object = {}, token?: string): Promise<Data> {
  const response = await reach(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as {
    data: Data;
    errors?: { message: string; extensions?: { code?: string } }[];
  };
  const [error] = errors ?? [];
  if (!error) return data;
  if (error.extensions?.code === 'OUT_OF_STOCK') {
    throw new DemoError(
      `${error.message} Earlier demos bought it all: start afresh with DATA_FOLDER=.quittance-2 npm run demo`,
    );
  }
  throw new DemoError(
    `The server refused a request of the demo: ${error.message} (${error.extensions?.code})\n` +
      'If the server is of another version than the demo, stop it and start it again: npm start',
  );
}
