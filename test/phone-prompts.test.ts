import { BY_PHONE, ON_PAGE_OF_PAWAPAY, orderInFrancs, PHONE } from './support/mobile-money.js';
import { codeOf, CREATE_PAYMENT, dataOf, startTestApp, type RunningApp } from './support/running-app.js';

let app: RunningApp;
beforeEach(async () => {
  app = await startTestApp({ phonePromptsPerHour: 5 });
});
afterEach(() => app.stop());

async function ask(input: object, token?: string) {
  const order = await orderInFrancs(app);
  return app.graphql(CREATE_PAYMENT, { input: { orderId: order.orderId, ...input } }, token ?? order.token);
}

async function attempts(): Promise<number> {
  const [row] = await app.dataSource.query('SELECT count(*)::integer AS count FROM payment_attempt');
  return row.count;
}

test('of 40 orders that ask one number at once, five ring, and the others say when to try again', async () => {
  const answers = await Promise.all(Array.from({ length: 40 }, () => ask(BY_PHONE)));
  const refused = answers.filter((answer) => codeOf(answer) === 'RATE_LIMITED');
  expect(answers.filter(({ errors }) => !errors)).toHaveLength(5);
  expect(refused).toHaveLength(35);
  expect(refused[0]!.errors![0]).toMatchObject({
    message: expect.stringMatching(
      /^This phone number was asked 5 times within an hour. Pay in another way, or try again in \d+ min\.$/,
    ),
    extensions: { retryable: true, retryAfterSeconds: expect.any(Number) },
  });
  expect(await attempts()).toBe(5);
});

describe('once a number has rung five times', () => {
  beforeEach(async () => {
    for (let index = 0; index < 5; index += 1) dataOf(await ask(BY_PHONE));
  });

  test('it counts however it is written, and another number still rings', async () => {
    const written = { ...BY_PHONE, phoneNumber: '01 51 34 57 55', country: 'BJ' };
    expect(codeOf(await ask(written))).toBe('RATE_LIMITED');
    expect(codeOf(await ask({ ...BY_PHONE, phoneNumber: PHONE.another }))).toBeUndefined();
  });

  test('its payer can pay on a page, and by phone again after the hour', async () => {
    expect(codeOf(await ask(ON_PAGE_OF_PAWAPAY))).toBeUndefined();
    await app.dataSource.query(
      `UPDATE phone_prompt SET prompted_at = ARRAY(SELECT at - interval '1 hour' FROM unnest(prompted_at) AS at)`,
    );
    expect(codeOf(await ask(BY_PHONE))).toBeUndefined();
  });

  test('the merchant’s backend makes it ring all the same', async () => {
    expect(codeOf(await ask(BY_PHONE, app.apiKey))).toBeUndefined();
  });

  test('the number itself does not stand in the count', async () => {
    const rows = await app.dataSource.query('SELECT to_jsonb(p)::text AS row FROM phone_prompt p');
    expect(rows).toHaveLength(1);
    expect(rows[0].row).not.toContain('51345755');
  });
});

test('an order that is changed again and again does not ring more often', async () => {
  const { orderId, token, sku } = await orderInFrancs(app);
  const { id } = await app.pay(orderId, token, BY_PHONE);
  const change = 'mutation ($input: UpdateOrderInput!) { updateOrder(input: $input) { amount } }';
  const follow = 'mutation ($id: ID!) { updatePaymentIntent(input: { paymentIntentId: $id }) { amount } }';
  const codes: (string | undefined)[] = [];
  for (let quantity = 2; quantity < 8; quantity += 1) {
    dataOf(await app.graphql(change, { input: { orderId, lines: [{ sku, quantity }] } }, token));
    codes.push(codeOf(await app.graphql(follow, { id }, token)));
  }
  expect(codes).toEqual([undefined, undefined, undefined, undefined, 'RATE_LIMITED', 'RATE_LIMITED']);
  expect(await attempts()).toBe(5);
});
