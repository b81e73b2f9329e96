import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf, dataOf, RETURN_URL, startTestApp, type RunningApp } from './support/running-app.js';
import { watch } from './support/subscriber.js';

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

const CREATE_ORDER = `
  mutation ($input: CreateOrderInput!) {
    createOrder(input: $input) {
      orderToken
      order {
        id number status amount currency locale metadata reservedUntil
        customer { name email phone }
        lines { sku name quantity unitAmount }
      }
    }
  }`;
const UPDATE_ORDER = `
  mutation ($input: UpdateOrderInput!) {
    updateOrder(input: $input) { id amount lines { sku name quantity unitAmount } }
  }`;
const CANCEL_ORDER = 'mutation ($id: ID!) { cancelOrder(id: $id) { id status reservedUntil } }';
const ORDER = `
  query ($id: ID!) {
    order(id: $id) { status amount reservedUntil lines { sku quantity } paymentIntents { id status amount } }
  }`;

const create = (input: object, token?: string) => app.graphql(CREATE_ORDER, { input }, token);
const update = (input: object, token: string) => app.graphql(UPDATE_ORDER, { input }, token);
const cancel = (id: string, token: string) => app.graphql(CANCEL_ORDER, { id }, token);
const readOrder = async (id: string, token: string) => dataOf(await app.graphql(ORDER, { id }, token)).order;

/** What the catalogue tells everybody. */
async function available(sku: string): Promise<number | null> {
  const { products } = dataOf(await app.graphql('{ products { sku available } }'));
  return products.find((product: { sku: string }) => product.sku === sku).available;
}

/** What is really on the shelf, held pieces included. */
async function shelf(sku: string): Promise<{ stock: number; reserved: number }> {
  const [row] = await app.dataSource.query('SELECT stock, reserved FROM product WHERE sku = $1', [sku]);
  return row;
}

async function until(isSo: () => Promise<boolean>, milliseconds = 5_000): Promise<void> {
  const deadline = Date.now() + milliseconds;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`still not so after ${milliseconds} ms: ${isSo.toString()}`);
    await sleep(20);
  }
}

const fieldOf = (answer: Awaited<ReturnType<typeof create>>) =>
  answer.errors?.[0]?.extensions.fields?.map(({ path }) => path);

describe('createOrder', () => {
  test('takes names and prices from the catalogue, and adds the total up itself', async () => {
    const mug = await app.addProduct({ name: 'Mug', unitAmount: 1_450 });
    const book = await app.addProduct({ name: 'Book', unitAmount: 990, stock: null });
    const lines = [
      { sku: mug.sku, quantity: 3 },
      { sku: book.sku, quantity: 2 },
    ];
    const { order, orderToken } = dataOf(await create({ lines })).createOrder;
    expect(order).toMatchObject({
      id: expect.stringMatching(/^ORD-/),
      number: null,
      status: 'OPEN',
      amount: 3 * 1_450 + 2 * 990,
      currency: 'EUR',
      reservedUntil: null,
      lines: [
        { sku: mug.sku, name: 'Mug', quantity: 3, unitAmount: 1_450 },
        { sku: book.sku, name: 'Book', quantity: 2, unitAmount: 990 },
      ],
    });
    expect(await readOrder(order.id, orderToken)).toMatchObject({ amount: order.amount });
  });

  test('keeps the price of the day when the catalogue changes later', async () => {
    const { sku } = await app.addProduct({ unitAmount: 1_000 });
    const { orderId, token } = await app.order(sku, 2);
    await app.dataSource.query('UPDATE product SET unit_amount = 9999 WHERE sku = $1', [sku]);
    expect((await readOrder(orderId, token)).amount).toBe(2_000);
  });

  test.each(['amount', 'unitAmount', 'total', 'price'])(
    'has no place in its schema for a payer’s own %s',
    async (field) => {
      const { sku } = await app.addProduct();
      expect(codeOf(await create({ lines: [{ sku, quantity: 1 }], [field]: 1 }))).toBe('BAD_USER_INPUT');
      expect(codeOf(await create({ lines: [{ sku, quantity: 1, [field]: 1 }] }))).toBe('BAD_USER_INPUT');
    },
  );

  test('createPaymentIntent has no place for an amount either', async () => {
    const { sku } = await app.addProduct();
    const { orderId, token } = await app.order(sku);
    const answer = await app.graphql(
      'mutation ($input: CreatePaymentIntentInput!) { createPaymentIntent(input: $input) { paymentIntent { id } } }',
      { input: { orderId, amount: 1 } },
      token,
    );
    expect(codeOf(answer)).toBe('BAD_USER_INPUT');
  });

  test('holds no stock before a payment begins', async () => {
    const { sku } = await app.addProduct({ stock: 3 });
    await app.order(sku, 3);
    expect(await available(sku)).toBe(3);
  });

  test('names the field of a SKU that the catalogue does not have', async () => {
    const { sku } = await app.addProduct();
    const lines = [
      { sku, quantity: 1 },
      { sku: 'NO-SUCH', quantity: 1 },
    ];
    const answer = await create({ lines });
    expect(codeOf(answer)).toBe('BAD_USER_INPUT');
    expect(fieldOf(answer)).toEqual(['lines.1.sku']);
    expect(answer.errors![0]!.message).toContain('NO-SUCH');
  });

  test('takes a product that is not sold any more for one that is not there', async () => {
    const { sku } = await app.addProduct({ active: false });
    expect(fieldOf(await create({ lines: [{ sku, quantity: 1 }] }))).toEqual(['lines.0.sku']);
  });

  test.each([0, -1, 100_001])('refuses a quantity of %i, and names the field', async (quantity) => {
    const { sku } = await app.addProduct();
    const answer = await create({ lines: [{ sku, quantity }] });
    expect(codeOf(answer)).toBe('BAD_USER_INPUT');
    expect(fieldOf(answer)).toEqual([expect.stringMatching(/lines(\.|\[)0\]?\.quantity$/)]);
  });

  test.each([1.5, '2', 2 ** 31])('a quantity of %j is no whole number of pieces', async (quantity) => {
    const { sku } = await app.addProduct();
    expect(codeOf(await create({ lines: [{ sku, quantity }] }))).toBe('BAD_USER_INPUT');
  });

  test.each([[{}], [{ lines: [] }], [{ lines: null }], [{ lines: [], ownLines: null }]])(
    'an order needs a line, and %j has none',
    async (input) => {
      const answer = await create(input, app.apiKey);
      expect(codeOf(answer)).toBe('BAD_USER_INPUT');
      expect(fieldOf(answer)).toEqual(['lines']);
    },
  );

  test('a field that is null is a field that is not given', async () => {
    const { sku } = await app.addProduct();
    const nothing = { ownLines: null, number: null, metadata: null, customer: null, locale: null };
    const answer = await create({ lines: [{ sku, quantity: 1 }], ...nothing });
    expect(dataOf(answer).createOrder.order.status).toBe('OPEN');
  });

  test('an order has a hundred lines at most', async () => {
    const { sku } = await app.addProduct();
    const lines = (count: number) => Array.from({ length: count }, () => ({ sku, quantity: 1 }));
    expect(codeOf(await create({ lines: lines(101) }))).toBe('BAD_USER_INPUT');
    expect(dataOf(await create({ lines: lines(100) })).createOrder.order.amount).toBe(150_000);
  });

  test('does not mix currencies', async () => {
    const euros = await app.addProduct({ currency: 'EUR' });
    const francs = await app.addProduct({ currency: 'XOF' });
    const answer = await create({ lines: [euros, francs].map(({ sku }) => ({ sku, quantity: 1 })) });
    expect(codeOf(answer)).toBe('BAD_USER_INPUT');
    expect(fieldOf(answer)).toEqual(['currency']);
    expect(answer.errors![0]!.message).toContain('EUR and XOF');
    const other = await create({ lines: [{ sku: euros.sku, quantity: 1 }], currency: 'USD' });
    expect(fieldOf(other)).toEqual(['currency']);
  });

  test('refuses a customer that nobody could reach, naming each field', async () => {
    const { sku } = await app.addProduct();
    const answer = await create({
      lines: [{ sku, quantity: 1 }],
      customer: { name: 'Ada', email: 'nowhere', phone: '0612345678' },
    });
    expect(codeOf(answer)).toBe('BAD_USER_INPUT');
    expect(fieldOf(answer)?.sort()).toEqual(['customer.email', 'customer.phone']);
  });

  test.each(['a\u0000b', 'a\ud800b'])(
    'text that no database can store (%j) is the caller’s mistake, not ours',
    async (text) => {
      const { sku } = await app.addProduct();
      const lines = [{ sku, quantity: 1 }];
      for (const input of [
        { lines: [{ sku: text, quantity: 1 }] },
        { lines, customer: { name: text } },
        { lines, metadata: { note: text } },
        { lines, number: text },
        { lines, idempotencyKey: text.repeat(10) },
      ]) {
        const answer = await create(input, app.apiKey);
        if (answer.errors) expect(codeOf(answer)).toBe('BAD_USER_INPUT');
      }
    },
  );
});

describe('a backend’s own order', () => {
  const ownLines = [{ name: 'Room, two nights', quantity: 2, unitAmount: 8_000 }];

  test('has lines, a number, a customer and notes of the backend’s', async () => {
    const { sku } = await app.addProduct({ unitAmount: 1_500 });
    const input = {
      lines: [{ sku, quantity: 1 }],
      ownLines,
      number: `T1-${randomUUID()}`,
      customer: { name: 'Ada', email: 'ada@example.com', phone: '+33612345678' },
      metadata: { booking: { room: 12 } },
      locale: 'fr',
    };
    const { order } = dataOf(await create(input, app.apiKey)).createOrder;
    expect(order).toMatchObject({
      amount: 1_500 + 16_000,
      number: input.number,
      customer: input.customer,
      metadata: input.metadata,
      locale: 'fr',
      lines: [{ sku }, { sku: null, name: 'Room, two nights', quantity: 2, unitAmount: 8_000 }],
    });
  });

  test('is paid with the order token that the backend hands to the payer', async () => {
    const { order, orderToken } = dataOf(await create({ ownLines, currency: 'EUR' }, app.apiKey)).createOrder;
    const payment = await app.pay(order.id, orderToken, { method: 'CARD' });
    expect(payment.status).toBe('PENDING');
  });

  test.each([
    ['lines', { ownLines, currency: 'EUR' }],
    ['no lines, but the field for them', { ownLines: [], currency: 'EUR' }],
    ['number', { number: 'T1-26-00001' }],
    ['notes', { metadata: { vip: true } }],
  ])('is nothing a payer or an operator can write: own %s', async (_what, own) => {
    const { sku } = await app.addProduct();
    const input = { lines: [{ sku, quantity: 1 }], ...own };
    expect(codeOf(await create(input))).toBe('UNAUTHENTICATED');
    const { token } = await app.order(sku);
    expect(codeOf(await create(input, token))).toBe('FORBIDDEN');
    expect(codeOf(await create(input, app.operatorToken))).toBe('FORBIDDEN');
  });

  test('has a number that no other order has', async () => {
    const number = `T1-${randomUUID()}`;
    const input = { ownLines, currency: 'EUR', number };
    dataOf(await create(input, app.apiKey));
    const second = await create(input, app.apiKey);
    expect(codeOf(second)).toBe('ORDER_NUMBER_TAKEN');
    expect(fieldOf(second)).toEqual(['number']);
  });

  test('needs a currency when it has own lines alone, and one that we can count in', async () => {
    expect(fieldOf(await create({ ownLines }, app.apiKey))).toEqual(['currency']);
    expect(fieldOf(await create({ ownLines, currency: 'XXX' }, app.apiKey))).toEqual(['currency']);
    expect(fieldOf(await create({ ownLines, currency: 'eur' }, app.apiKey))).toEqual(['currency']);
  });

  test('costs not less than nothing, and no more than can be counted exactly', async () => {
    const dear = [{ name: 'Moon', quantity: 2, unitAmount: Number.MAX_SAFE_INTEGER }];
    expect(fieldOf(await create({ ownLines: dear, currency: 'EUR' }, app.apiKey))).toEqual(['lines']);
    const negative = [{ name: 'Discount', quantity: 1, unitAmount: -1 }];
    expect(fieldOf(await create({ ownLines: negative, currency: 'EUR' }, app.apiKey))).toEqual(['ownLines']);
  });

  test('carries notes of a sensible size only', async () => {
    const metadata = { note: 'x'.repeat(9_000) };
    expect(fieldOf(await create({ ownLines, currency: 'EUR', metadata }, app.apiKey))).toEqual(['metadata']);
  });
});

describe('an idempotency key', () => {
  const ownLines = [{ name: 'Room', quantity: 1, unitAmount: 8_000 }];

  test('makes one order of the same request made twice', async () => {
    const { sku } = await app.addProduct();
    const input = { lines: [{ sku, quantity: 2 }], idempotencyKey: randomUUID() };
    const first = dataOf(await create(input)).createOrder;
    const second = dataOf(await create(input)).createOrder;
    expect(second.order.id).toBe(first.order.id);
    expect(await readOrder(first.order.id, second.orderToken)).toMatchObject({ amount: 3_000 });
  });

  test('makes one order of twenty such requests at once', async () => {
    const { sku } = await app.addProduct();
    const input = { lines: [{ sku, quantity: 2 }], idempotencyKey: randomUUID() };
    const answers = await Promise.all(Array.from({ length: 20 }, () => create(input)));
    const ids = new Set(answers.map((answer) => dataOf(answer).createOrder.order.id));
    expect(ids.size).toBe(1);
    const [{ count }] = await app.dataSource.query('SELECT count(*) FROM order_line WHERE sku = $1', [sku]);
    expect(count).toBe(1);
  });

  test('does so too when they carry the backend’s own number', async () => {
    for (let round = 0; round < 5; round += 1) {
      const input = { ownLines, currency: 'EUR', number: randomUUID(), idempotencyKey: randomUUID() };
      const answers = await Promise.all(Array.from({ length: 20 }, () => create(input, app.apiKey)));
      expect(new Set(answers.map((answer) => dataOf(answer).createOrder.order.id)).size).toBe(1);
    }
  });

  test('is refused for another request', async () => {
    const { sku } = await app.addProduct();
    const idempotencyKey = randomUUID();
    dataOf(await create({ lines: [{ sku, quantity: 1 }], idempotencyKey }));
    const answer = await create({ lines: [{ sku, quantity: 2 }], idempotencyKey });
    expect(codeOf(answer)).toBe('IDEMPOTENCY_KEY_REUSED');
    expect(fieldOf(answer)).toEqual(['idempotencyKey']);
  });

  test('of one caller is nothing to another', async () => {
    const { sku } = await app.addProduct();
    const input = { lines: [{ sku, quantity: 1 }], idempotencyKey: randomUUID() };
    const payers = dataOf(await create(input)).createOrder.order.id;
    const backends = dataOf(await create(input, app.apiKey)).createOrder.order.id;
    expect(backends).not.toBe(payers);
  });

  test('is long enough that nobody guesses another’s', async () => {
    const { sku } = await app.addProduct();
    const answer = await create({ lines: [{ sku, quantity: 1 }], idempotencyKey: 'order-1' });
    expect(fieldOf(answer)).toEqual(['idempotencyKey']);
  });
});

describe('stock', () => {
  test('is held while the payer pays, and taken when they have paid', async () => {
    const { sku } = await app.addProduct({ stock: 5 });
    const { orderId, token } = await app.order(sku, 2);
    const payment = await app.pay(orderId, token, { method: 'CARD' });
    expect(await available(sku)).toBe(3);
    expect(await shelf(sku)).toEqual({ stock: 5, reserved: 2 });
    const { reservedUntil } = await readOrder(orderId, token);
    expect(Date.parse(reservedUntil)).toBeGreaterThan(Date.now());

    app.stripe.pay(payment.nextAction.clientSecret, '4242424242424242');
    await until(async () => (await readOrder(orderId, token)).status === 'CONFIRMED');
    expect(await shelf(sku)).toEqual({ stock: 3, reserved: 0 });
    expect((await readOrder(orderId, token)).reservedUntil).toBeNull();
  });

  test('is free again when the payment is cancelled', async () => {
    const { sku } = await app.addProduct({ stock: 5 });
    const { orderId, token } = await app.order(sku, 2);
    const { id } = await app.pay(orderId, token, { method: 'CARD' });
    dataOf(await app.graphql('mutation ($id: ID!) { cancelPaymentIntent(id: $id) { id } }', { id }, token));
    expect(await shelf(sku)).toEqual({ stock: 5, reserved: 0 });
    expect((await readOrder(orderId, token)).reservedUntil).toBeNull();
  });

  test('is free again when the payment fails', async () => {
    const { sku } = await app.addProduct({ stock: 5 });
    const { orderId, token } = await app.order(sku, 2);
    const { id } = await app.pay(orderId, token, { method: 'BANK', returnUrl: RETURN_URL });
    const watcher = watch(app, id, token);
    app.bank.decline(`${id}-1`);
    await watcher.until((heard) => heard.at(-1)?.status === 'FAILED');
    await watcher.close();
    expect(await shelf(sku)).toEqual({ stock: 5, reserved: 0 });
    expect(await readOrder(orderId, token)).toMatchObject({ status: 'OPEN', reservedUntil: null });
  });

  test('is free again when the time is up', async () => {
    const { sku } = await app.addProduct({ stock: 5 });
    const { orderId, token } = await app.order(sku, 2);
    const { id } = await app.pay(orderId, token, { method: 'CARD' });
    await app.dataSource.query('UPDATE payment_intent SET expires_at = now() WHERE reference = $1', [id]);
    await until(async () => (await shelf(sku)).reserved === 0);
    const order = await readOrder(orderId, token);
    expect(order).toMatchObject({
      status: 'OPEN',
      reservedUntil: null,
      paymentIntents: [{ status: 'EXPIRED' }],
    });
    expect(await available(sku)).toBe(5);
  });

  test('that is not there keeps a payment from beginning, and says how much is left', async () => {
    const { sku } = await app.addProduct({ stock: 2 });
    const { orderId, token } = await app.order(sku, 3);
    const answer = await app.graphql(
      'mutation ($input: CreatePaymentIntentInput!) { createPaymentIntent(input: $input) { paymentIntent { id } } }',
      { input: { orderId, method: 'CARD' } },
      token,
    );
    expect(codeOf(answer)).toBe('OUT_OF_STOCK');
    expect(answer.errors![0]!.message).toContain(`${sku} (2 left)`);
    expect(await shelf(sku)).toEqual({ stock: 2, reserved: 0 });
    expect((await readOrder(orderId, token)).paymentIntents).toEqual([]);
  });

  test('that nobody counts is always there', async () => {
    const { sku } = await app.addProduct({ stock: null, unitAmount: 1 });
    const { orderId, token } = await app.order(sku, 100_000);
    expect(await available(sku)).toBeNull();
    expect((await app.pay(orderId, token, { method: 'CARD' })).status).toBe('PENDING');
    expect(await available(sku)).toBeNull();
  });

  test('of one product in two lines of an order is held for both', async () => {
    const { sku } = await app.addProduct({ stock: 5 });
    const line = { sku, quantity: 2 };
    const { order, orderToken } = dataOf(await create({ lines: [line, line] })).createOrder;
    await app.pay(order.id, orderToken, { method: 'CARD' });
    expect(await shelf(sku)).toEqual({ stock: 5, reserved: 4 });
  });

  test('is never promised twice, however many ask at once', async () => {
    const { sku } = await app.addProduct({ stock: 5 });
    const orders = await Promise.all(Array.from({ length: 20 }, () => app.order(sku)));
    const answers = await Promise.allSettled(
      orders.map(({ orderId, token }) => app.pay(orderId, token, { method: 'CARD' })),
    );
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
    expect(await shelf(sku)).toEqual({ stock: 5, reserved: 5 });
  });
});

describe('updateOrder', () => {
  test('replaces the lines, and adds the total up anew', async () => {
    const [old, other] = [await app.addProduct(), await app.addProduct({ unitAmount: 700 })];
    const { orderId, token } = await app.order(old.sku, 1);
    const answer = await update({ orderId, lines: [{ sku: other.sku, quantity: 3 }] }, token);
    expect(dataOf(answer).updateOrder).toMatchObject({
      amount: 2_100,
      lines: [{ sku: other.sku, quantity: 3, unitAmount: 700 }],
    });
    expect(await readOrder(orderId, token)).toMatchObject({ amount: 2_100, reservedUntil: null });
  });

  test('holds the new pieces instead of the old ones while the payer pays', async () => {
    const [old, other] = [await app.addProduct({ stock: 5 }), await app.addProduct({ stock: 5 })];
    const { orderId, token } = await app.order(old.sku, 2);
    await app.pay(orderId, token, { method: 'CARD' });
    const lines = [
      { sku: old.sku, quantity: 1 },
      { sku: other.sku, quantity: 4 },
    ];
    dataOf(await update({ orderId, lines }, token));
    expect(await shelf(old.sku)).toEqual({ stock: 5, reserved: 1 });
    expect(await shelf(other.sku)).toEqual({ stock: 5, reserved: 4 });
    dataOf(await update({ orderId, lines: [{ sku: old.sku, quantity: 5 }] }, token));
    expect(await shelf(old.sku)).toEqual({ stock: 5, reserved: 5 });
    expect(await shelf(other.sku)).toEqual({ stock: 5, reserved: 0 });
  });

  test('leaves everything as it was when there is not enough', async () => {
    const [old, scarce] = [await app.addProduct({ stock: 5 }), await app.addProduct({ stock: 1 })];
    const { orderId, token } = await app.order(old.sku, 2);
    await app.pay(orderId, token, { method: 'CARD' });
    const before = await readOrder(orderId, token);
    const answer = await update({ orderId, lines: [{ sku: scarce.sku, quantity: 2 }] }, token);
    expect(codeOf(answer)).toBe('OUT_OF_STOCK');
    expect(await readOrder(orderId, token)).toEqual(before);
    expect(await shelf(old.sku)).toEqual({ stock: 5, reserved: 2 });
    expect(await shelf(scarce.sku)).toEqual({ stock: 1, reserved: 0 });
  });

  test('leaves everything as it was when a line is wrong', async () => {
    const { sku } = await app.addProduct({ stock: 5 });
    const { orderId, token } = await app.order(sku, 2);
    await app.pay(orderId, token, { method: 'CARD' });
    const lines = [{ sku: 'NO-SUCH', quantity: 1 }];
    expect(fieldOf(await update({ orderId, lines }, token))).toEqual(['lines.0.sku']);
    expect(codeOf(await update({ orderId, lines: [] }, token))).toBe('BAD_USER_INPUT');
    expect(codeOf(await update({ orderId, lines: null }, token))).toBe('BAD_USER_INPUT');
    expect(await readOrder(orderId, token)).toMatchObject({ lines: [{ sku, quantity: 2 }], amount: 3_000 });
    expect(await shelf(sku)).toEqual({ stock: 5, reserved: 2 });
  });

  test('keeps the currency of the order', async () => {
    const [euros, francs] = [await app.addProduct(), await app.addProduct({ currency: 'XOF' })];
    const { orderId, token } = await app.order(euros.sku);
    const answer = await update({ orderId, lines: [{ sku: francs.sku, quantity: 1 }] }, token);
    expect(fieldOf(answer)).toEqual(['currency']);
  });

  test('takes own lines from backends alone', async () => {
    const { sku } = await app.addProduct();
    const { orderId, token } = await app.order(sku);
    const input = { orderId, ownLines: [{ name: 'Cheaper', quantity: 1, unitAmount: 1 }] };
    expect(codeOf(await update(input, token))).toBe('FORBIDDEN');
    expect(dataOf(await update(input, app.apiKey)).updateOrder.amount).toBe(1);
  });

  test('does nothing to an order that is paid or cancelled', async () => {
    const { sku } = await app.addProduct();
    const paid = await paidOrder(sku);
    const lines = [{ sku, quantity: 9 }];
    expect(codeOf(await update({ orderId: paid.orderId, lines }, paid.token))).toBe('ORDER_ALREADY_PAID');
    const cancelled = await app.order(sku);
    dataOf(await cancel(cancelled.orderId, cancelled.token));
    const answer = await update({ orderId: cancelled.orderId, lines }, cancelled.token);
    expect(codeOf(answer)).toBe('ORDER_CANCELLED');
  });

  test('by many at once, against each other’s products, keeps the shelf right', async () => {
    const [left, right] = [await app.addProduct({ stock: 50 }), await app.addProduct({ stock: 50 })];
    const orders = await Promise.all(
      Array.from({ length: 8 }, (_, index) => app.order(index % 2 ? left.sku : right.sku)),
    );
    await Promise.all(orders.map(({ orderId, token }) => app.pay(orderId, token, { method: 'CARD' })));
    const answers = await Promise.all(
      orders.flatMap(({ orderId, token }, index) => [
        update({ orderId, lines: [{ sku: index % 2 ? right.sku : left.sku, quantity: 2 }] }, token),
        update({ orderId, lines: [left, right].map(({ sku }) => ({ sku, quantity: 1 })) }, token),
      ]),
    );
    expect(answers.map(codeOf)).toEqual(answers.map(() => undefined));
    const held = await app.dataSource.query(
      `SELECT p.sku, p.reserved, (SELECT sum(quantity)::bigint FROM order_line l WHERE l.product_id = p.id) AS ordered
       FROM product p WHERE sku = ANY($1)`,
      [[left.sku, right.sku]],
    );
    expect(held).toHaveLength(2);
    for (const { reserved, ordered } of held) expect(reserved).toBe(ordered);
  });
});

async function paidOrder(sku: string) {
  const order = await app.order(sku);
  const payment = await app.pay(order.orderId, order.token, { method: 'CARD' });
  app.stripe.pay(payment.nextAction.clientSecret, '4242424242424242');
  await until(async () => (await readOrder(order.orderId, order.token)).status === 'CONFIRMED');
  return order;
}

describe('cancelOrder', () => {
  test('ends an order that nobody began to pay', async () => {
    const { sku } = await app.addProduct();
    const { orderId, token } = await app.order(sku);
    expect(dataOf(await cancel(orderId, token)).cancelOrder).toMatchObject({ status: 'CANCELLED' });
    expect((await readOrder(orderId, token)).status).toBe('CANCELLED');
  });

  test('ends its open payment with it, at the provider too, and gives the stock back', async () => {
    const { sku } = await app.addProduct({ stock: 5 });
    const { orderId, token } = await app.order(sku, 2);
    const payment = await app.pay(orderId, token, { method: 'BANK', returnUrl: RETURN_URL });
    const answer = await cancel(orderId, token);
    expect(dataOf(answer).cancelOrder).toMatchObject({ status: 'CANCELLED', reservedUntil: null });
    expect((await readOrder(orderId, token)).paymentIntents).toMatchObject([
      { id: payment.id, status: 'CANCELLED' },
    ]);
    expect(app.bank.payment(`${payment.id}-1`)).toMatchObject({ status: 'CANCELLED' });
    expect(await shelf(sku)).toEqual({ stock: 5, reserved: 0 });
  });

  test('of an order that is cancelled already changes nothing, and is fine', async () => {
    const { sku } = await app.addProduct({ stock: 5 });
    const { orderId, token } = await app.order(sku, 2);
    await app.pay(orderId, token, { method: 'CARD' });
    const answers = await Promise.all(Array.from({ length: 5 }, () => cancel(orderId, token)));
    expect(answers.map((answer) => dataOf(answer).cancelOrder.status)).toEqual(Array(5).fill('CANCELLED'));
    expect(dataOf(await cancel(orderId, token)).cancelOrder.status).toBe('CANCELLED');
    expect(await shelf(sku)).toEqual({ stock: 5, reserved: 0 });
  });

  test('of a paid order is refused', async () => {
    const { sku } = await app.addProduct();
    const { orderId, token } = await paidOrder(sku);
    expect(codeOf(await cancel(orderId, token))).toBe('ORDER_ALREADY_PAID');
    expect((await readOrder(orderId, token)).status).toBe('CONFIRMED');
  });

  test('leaves nothing to pay', async () => {
    const { sku } = await app.addProduct();
    const { orderId, token } = await app.order(sku);
    dataOf(await cancel(orderId, token));
    const answer = await app.graphql(
      'mutation ($input: CreatePaymentIntentInput!) { createPaymentIntent(input: $input) { paymentIntent { id } } }',
      { input: { orderId } },
      token,
    );
    expect(codeOf(answer)).toBe('ORDER_CANCELLED');
    const options = await app.graphql(`{ paymentOptions(orderId: "${orderId}") { provider } }`, {}, token);
    expect(dataOf(options).paymentOptions).toEqual([]);
  });

  test('against a payment that begins at the same moment leaves no stock held for a cancelled order', async () => {
    const { sku } = await app.addProduct({ stock: 20 });
    const orders = await Promise.all(Array.from({ length: 8 }, () => app.order(sku)));
    await Promise.allSettled(
      orders.flatMap(({ orderId, token }) => [
        app.pay(orderId, token, { method: 'CARD' }),
        cancel(orderId, token),
      ]),
    );
    const states = await Promise.all(orders.map(({ orderId, token }) => readOrder(orderId, token)));
    const held = states.filter(({ reservedUntil }) => reservedUntil !== null);
    expect(held.filter(({ status }) => status === 'CANCELLED')).toEqual([]);
    expect((await shelf(sku)).reserved).toBe(held.length);
  });
});
