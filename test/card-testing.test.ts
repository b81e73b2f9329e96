import { NO_LIMITS } from '../src/limits/limits.js';
import { eventually } from './support/eventually.js';
import { codeOf, dataOf, startTestApp, type GraphQLAnswer, type RunningApp } from './support/running-app.js';
import { settled } from './support/settled.js';
import { DECLINED_CARD, GOOD_CARD } from './support/ways-to-pay.js';

const ORDER =
  'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { order { id } orderToken } }';
const PAY = `mutation ($input: CreatePaymentIntentInput!) { createPaymentIntent(input: $input) {
  paymentIntent { id } nextAction { ... on ConfirmWithStripe { clientSecret } } } }`;
const READ = 'query ($id: ID!) { paymentIntent(id: $id) { status failureCode } }';

describe('who tries cards out', () => {
  let app: RunningApp;
  let addresses = 0;

  beforeAll(async () => {
    app = await startTestApp({ limits: { ...NO_LIMITS, declinesPerHour: 10 }, trustedProxies: ['loopback'] });
  });
  afterAll(() => app.stop());

  const newAddress = () => `203.0.113.${(addresses += 1)}`;

  const ask = async (
    address: string,
    query: string,
    variables: object,
    token?: string,
  ): Promise<GraphQLAnswer> => {
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-forwarded-for': address,
        ...(token && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ query, variables }),
    });
    return (await response.json()) as GraphQLAnswer;
  };

  const order = async (sku: string) => {
    const answer = await ask(newAddress(), ORDER, { input: { lines: [{ sku, quantity: 1 }] } });
    const { order: placed, orderToken } = dataOf(answer).createOrder;
    return { orderId: placed.id as string, token: orderToken as string };
  };

  const pay = (address: string, { orderId, token }: { orderId: string; token: string }) =>
    ask(address, PAY, { input: { orderId, method: 'CARD' } }, token);

  const open = async (address: string, placed: { orderId: string; token: string }) => {
    const { paymentIntent, nextAction } = dataOf(await pay(address, placed)).createPaymentIntent;
    return { id: paymentIntent.id as string, clientSecret: nextAction.clientSecret as string };
  };

  const decline = async ({ clientSecret }: { clientSecret: string }, times = 1) => {
    for (let n = 0; n < times; n += 1) {
      app.stripe.pay(clientSecret, DECLINED_CARD);
      await settled(app);
    }
  };

  const read = async (id: string) => dataOf(await app.graphql(READ, { id }, app.operatorToken)).paymentIntent;
  const untilCancelled = (id: string) =>
    eventually(async () =>
      expect(await read(id)).toEqual({ status: 'CANCELLED', failureCode: 'TOO_MANY_DECLINES' }),
    );
  const reserved = async (sku: string) => {
    const [row] = await app.dataSource.query('SELECT reserved FROM product WHERE sku = $1', [sku]);
    return row.reserved as number;
  };

  it('has five cards for one payment: then it is cancelled at the provider, and the stock is free', async () => {
    const { sku } = await app.addProduct({ stock: 5 });
    const placed = await order(sku);
    const payment = await open(newAddress(), placed);
    await decline(payment, 4);
    expect(await read(payment.id)).toEqual({ status: 'PENDING', failureCode: null });
    expect(await reserved(sku)).toBe(1);
    await decline(payment);
    await untilCancelled(payment.id);
    expect(await reserved(sku)).toBe(0);
    // No card is taken there any more, not even a good one.
    expect(() => app.stripe.pay(payment.clientSecret, GOOD_CARD)).toThrow(/cancel/i);
    // An honest payer may begin anew.
    expect((await open(newAddress(), placed)).id).not.toBe(payment.id);
  });

  it('is not who has one declined that the provider reports again and again', async () => {
    const { sku } = await app.addProduct();
    const payment = await open(newAddress(), await order(sku));
    await decline(payment, 2);
    const verify = 'mutation ($id: ID!) { verifyPaymentIntent(id: $id) { status } }';
    for (let n = 0; n < 6; n += 1) {
      dataOf(await app.graphql(verify, { id: payment.id }, app.operatorToken));
      await app.dataSource.query('UPDATE payment_intent SET asked_at = NULL WHERE reference = $1', [
        payment.id,
      ]);
    }
    const [row] = await app.dataSource.query('SELECT declines FROM payment_intent WHERE reference = $1', [
      payment.id,
    ]);
    expect(row.declines).toBe(2);
    app.stripe.pay(payment.clientSecret, GOOD_CARD);
    await settled(app);
    expect(await read(payment.id)).toEqual({ status: 'PAID', failureCode: null });
  });

  it('has ten in an hour from one address, whatever the orders are; others go on, and so does the shop', async () => {
    const { sku } = await app.addProduct();
    const address = newAddress();
    for (let n = 0; n < 2; n += 1) {
      const payment = await open(address, await order(sku));
      await decline(payment, 5);
      await untilCancelled(payment.id);
    }
    const next = await order(sku);
    const refused = await pay(address, next);
    expect(codeOf(refused)).toBe('RATE_LIMITED');
    expect(refused.errors![0]).toMatchObject({
      message: expect.stringContaining('Too many cards were declined'),
      extensions: { retryable: true, retryAfterSeconds: 900 },
    });
    const backend = { orderId: next.orderId, token: app.apiKey };
    expect((await open(address, backend)).id).toMatch(/^TXN-/);
    expect((await open(newAddress(), await order(sku))).id).toMatch(/^TXN-/);
    await app.dataSource.query(`UPDATE payment_intent SET declined_at = declined_at - interval '61 minutes'`);
    expect((await open(address, await order(sku))).id).toMatch(/^TXN-/);
  });

  it('gains nothing by opening many payments first', async () => {
    const { sku } = await app.addProduct();
    const address = newAddress();
    const payments = [];
    for (let n = 0; n < 12; n += 1) payments.push(await open(address, await order(sku)));
    for (const payment of payments.slice(0, 10)) await decline(payment);
    for (const payment of payments.slice(0, 10)) await untilCancelled(payment.id);
    // Those for which no card was declined may be a neighbour's.
    expect(await read(payments[11]!.id)).toEqual({ status: 'PENDING', failureCode: null });
    await decline(payments[11]!);
    await untilCancelled(payments[11]!.id);
  });

  it('does not leave the address in the database', async () => {
    const [{ rows }] = await app.dataSource.query(
      `SELECT count(*)::integer AS rows FROM payment_intent i WHERE to_jsonb(i)::text LIKE '%203.0.113.%'`,
    );
    expect(rows).toBe(0);
  });
});
