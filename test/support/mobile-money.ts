import { eventually } from './eventually.js';
import { dataOf, RETURN_URL, type RunningApp } from './running-app.js';
import type { Product } from '../../src/orders/product.js';

export const AMOUNT = 15_000;

/** Numbers of MTN in Benin, by what pawaPay's sandbox does with them (providers.md D.12). */
export const PHONE = {
  /** It rings, and its owner decides. */
  rings: '+2290151345755',
  another: '+2290151345766',
  approves: '+2290151345789',
} as const;

/** At pawaPay, which asks the payer's phone. */
export const BY_PHONE = { method: 'MOBILE_MONEY', presentation: 'PHONE', phoneNumber: PHONE.rings };

/** At PayDunya, which asks the payer's phone through its SoftPay. */
export const BY_SOFTPAY = {
  ...BY_PHONE,
  provider: 'paydunya',
  phoneNumber: '+221771234567',
  operator: 'free-money-senegal',
};

export const ON_PAGE_OF_PAWAPAY = {
  method: 'MOBILE_MONEY',
  provider: 'pawapay',
  presentation: 'REDIRECT',
  returnUrl: RETURN_URL,
  country: 'BJ',
};
export const ON_PAGE_OF_PAYDUNYA = { ...ON_PAGE_OF_PAWAPAY, provider: 'paydunya' };

export interface OrderInFrancs {
  readonly orderId: string;
  readonly token: string;
  readonly sku: string;
  readonly product: Product;
}

/** One piece of something that costs `AMOUNT`. */
export async function orderInFrancs(
  app: RunningApp,
  { locale, ...product }: Partial<Product> & { readonly locale?: string } = {},
): Promise<OrderInFrancs> {
  const added = await app.addProduct({ currency: 'XOF', unitAmount: AMOUNT, stock: 10, ...product });
  const answer = await app.graphql(
    'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { order { id } orderToken } }',
    { input: { lines: [{ sku: added.sku, quantity: 1 }], locale } },
  );
  const { order, orderToken } = dataOf(answer).createOrder;
  return { orderId: order.id, token: orderToken, sku: added.sku, product: added };
}

const PAYMENT = `
  id status version amount capturedAmount refundedAmount failureCode failureMessage
  order { status reservedUntil }
  attempts {
    number provider method presentation amount status failureCode failureMessage fallbackOf operator country
  }
  refunds { id amount status origin failureCode failureMessage }
  nextAction {
    __typename
    ... on RedirectToUrl { url }
    ... on ApproveOnPhone { phoneNumber operator instructions expiresAt }
  }`;

export async function readWhole(app: RunningApp, id: string): Promise<any> {
  const query = `query ($id: ID!) { paymentIntent(id: $id) { ${PAYMENT} } }`;
  return dataOf(await app.graphql(query, { id }, app.apiKey)).paymentIntent;
}

/** Waits until the payment looks like this. */
export function untilPayment(app: RunningApp, id: string, like: object): Promise<any> {
  return eventually(async () => {
    const payment = await readWhole(app, id);
    expect(payment).toMatchObject(like);
    return payment;
  });
}

/** What the provider calls an attempt. */
export async function providerReferenceOf(app: RunningApp, id: string, number = 1): Promise<string> {
  const [row] = await app.dataSource.query<{ reference: string }[]>(
    `SELECT a.provider_reference AS reference FROM payment_attempt a JOIN payment_intent i ON i.id = a.intent_id
     WHERE i.reference = $1 AND a.number = $2`,
    [id, number],
  );
  return row!.reference;
}

/** The job looks now, and not in half a minute. */
export async function lookNow(app: RunningApp, id: string): Promise<void> {
  await app.dataSource.query('UPDATE payment_intent SET next_check_at = now() WHERE reference = $1', [id]);
}

/** The job has looked, and has said when it looks again. */
export async function untilLookedAt(app: RunningApp, id: string): Promise<void> {
  await lookNow(app, id);
  await eventually(async () => {
    const [row] = await app.dataSource.query<{ isOver: boolean }[]>(
      // While it is looking, its claim of a minute stands there.
      `SELECT next_check_at IS NULL OR next_check_at BETWEEN now() + interval '2 s' AND now() + interval '58 s'
         AS "isOver" FROM payment_intent WHERE reference = $1`,
      [id],
    );
    expect(row!.isOver).toBe(true);
  });
}

/** The payment's time is up now, and not in half an hour. */
export async function expireNow(app: RunningApp, id: string): Promise<void> {
  await app.dataSource.query('UPDATE payment_intent SET expires_at = now() WHERE reference = $1', [id]);
}

/** As the first of the two writes leaves an attempt, when a crash cuts off the call: our own key may be its reference. */
export async function forgetAnswer(app: RunningApp, id: string): Promise<void> {
  await app.dataSource.query(
    `UPDATE payment_attempt SET sealed_next_action = NULL,
       provider_reference = CASE provider WHEN 'pawapay' THEN idempotency_key END
     WHERE intent_id = (SELECT id FROM payment_intent WHERE reference = $1)`,
    [id],
  );
}
