import { ask } from './ask.js';

/** What a frontend asks of the server. */
export interface ShopApi {
  readonly url: string;
  products(): Promise<ProductShown[]>;
  order(sku: string, quantity: number, booking?: BookingWanted): Promise<PlacedOrder>;
  /** @param country the payer's, ISO 3166-1 alpha-2. */
  paymentOptions(order: PlacedOrder, country: string): Promise<PaymentOption[]>;
  pay(order: PlacedOrder, input: object): Promise<OpenedPayment>;
  attempts(order: PlacedOrder, paymentId: string): Promise<AttemptShown[]>;
  orderStatus(order: PlacedOrder): Promise<string>;
  /** Null where nothing is booked. */
  booking(order: PlacedOrder): Promise<BookingShown | null>;
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

export interface BookingWanted {
  /** ISO 8601, both. */
  readonly startsAt: string;
  readonly endsAt: string;
}

export interface BookingShown {
  /** Null until it is made. */
  readonly id: string | null;
  readonly status: string;
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
const BOOKING = 'query ($id: ID!) { order(id: $id) { booking { id status } } }';

export function shopApi(url: string): ShopApi {
  return {
    url,
    async products() {
      const { products } = await ask<{ products: ProductShown[] }>(url, PRODUCTS);
      return products;
    },
    async order(sku, quantity, booking) {
      const input = { lines: [{ sku, quantity }], customer: CUSTOMER, booking };
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
    async booking({ id, token }) {
      const { order } = await ask<{ order: { booking: BookingShown | null } }>(url, BOOKING, { id }, token);
      return order.booking;
    },
  };
}
