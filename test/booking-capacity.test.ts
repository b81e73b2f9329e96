import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { loadConfig } from '../src/config.js';
import { daysTouched } from '../src/orders/booking-days.js';
import type { Product } from '../src/orders/product.js';
import { BetweenSteps } from './support/between-steps.js';
import {
  bookableOrder,
  changeOrder,
  days,
  june,
  placesOf,
  readBookedOrder,
  type BookedOrder,
  type WantedBooking,
} from './support/bookings.js';
import { eventually } from './support/eventually.js';
import { expectInvariants } from './support/invariants.js';
import { cancelPayment } from './support/payment-calls.js';
import {
  codeOf,
  CREATE_PAYMENT,
  dataOf,
  RETURN_URL,
  startTestApp,
  type RunningApp,
} from './support/running-app.js';
import { refundPayment, settleReview } from './support/staff-calls.js';
import { GOOD_CARD } from './support/ways-to-pay.js';
import { expectSettled, settled } from './support/settled.js';

const steps = new BetweenSteps();
let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp({ decorate: steps.decorate });
});
afterEach(async () => {
  steps.expectAllHappened();
  await expectSettled(app);
});
afterAll(async () => {
  await app.stop();
  steps.stop();
});

const parking = (dailyCapacity: number) => app.addProduct({ dailyCapacity, stock: null });

const ask = ({ orderId, token }: BookedOrder, way: object = { method: 'CARD' }) =>
  app.graphql(CREATE_PAYMENT, { input: { orderId, ...way } }, token);

const allPaid = (ids: readonly string[]) =>
  eventually(
    () =>
      app.dataSource.query(
        `SELECT count(*)::integer AS paid FROM payment_intent WHERE reference = ANY($1) AND status = 'PAID'`,
        [ids],
      ),
    ([{ paid }]) => paid === ids.length,
    20_000,
  );

async function openPayment(product: Product, booking: WantedBooking, way?: object) {
  const order = await bookableOrder(app, product, booking);
  const { paymentIntent, nextAction } = dataOf(await ask(order, way)).createPaymentIntent;
  return { ...order, id: paymentIntent.id as string, clientSecret: nextAction.clientSecret as string };
}

async function paidPayment(product: Product, booking: WantedBooking) {
  const payment = await openPayment(product, booking);
  app.stripe.pay(payment.clientSecret, GOOD_CARD);
  await allPaid([payment.id]);
  return payment;
}

const times = <Result>(count: number, one: (index: number) => Promise<Result>): Promise<Result[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => one(index)));

test('of 100 payers who race for the last 10 places of one day, 10 get a payment and 90 are told FULLY_BOOKED; all 10 are booked', async () => {
  const product = await parking(12);
  for (const _taken of [1, 2]) await paidPayment(product, days(15));
  // Each for another time, and all of them on the 15th.
  const orders = await times(100, (index) =>
    bookableOrder(app, product, days(15 - (index % 3), 15 + (index % 2))),
  );

  const answers = await Promise.all(orders.map((order) => ask(order)));

  const codes = answers.map((answer) => codeOf(answer) ?? 'OPENED');
  expect(codes.filter((code) => code === 'OPENED')).toHaveLength(10);
  expect(codes.filter((code) => code === 'FULLY_BOOKED')).toHaveLength(90);
  expect((await placesOf(app, product))[june(15)]).toBe('held 10, booked 2');
  await expectInvariants(app.dataSource);

  const opened = answers
    .filter((answer) => !answer.errors)
    .map((answer) => dataOf(answer).createPaymentIntent);
  for (const { nextAction } of opened) app.stripe.pay(nextAction.clientSecret, GOOD_CARD);
  await allPaid(opened.map(({ paymentIntent }) => paymentIntent.id));

  expect((await placesOf(app, product))[june(15)]).toBe('held 0, booked 12');
  const bookings = await Promise.all(orders.map((order) => readBookedOrder(app, order)));
  expect(bookings.filter(({ booking }) => booking.status === 'CONFIRMED')).toHaveLength(10);
});

test('places that are given back go to those who ask again, and never to two', async () => {
  const product = await parking(3);
  const orders = await times(20, (index) => bookableOrder(app, product, days(1 + (index % 4), 4)));
  const rounds = orders.map(async (order) => {
    const answer = await ask(order);
    if (answer.errors) return codeOf(answer);
    const { id } = dataOf(answer).createPaymentIntent.paymentIntent;
    return dataOf(await cancelPayment(app, id, order.token)).cancelPaymentIntent.status as string;
  });
  expect(new Set(await Promise.all(rounds))).toEqual(new Set(['CANCELLED', 'FULLY_BOOKED']));
  expect(await placesOf(app, product)).toEqual({});
});

test('bookings of the same products and days, named in whatever order, don’t stand in each other’s way', async () => {
  const products = [await app.addProduct({ dailyCapacity: 60, stock: 60 }), await parking(60)];
  const orders = await times(60, async (index) => {
    const lines = products.map(({ sku }) => ({ sku, quantity: 1 }));
    const answer = await app.graphql(
      'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { order { id } orderToken } }',
      {
        input: {
          lines: index % 2 ? lines : lines.reverse(),
          booking: days(20 - (index % 5), 20 + (index % 7)),
        },
      },
    );
    const { order, orderToken } = dataOf(answer).createOrder;
    return { orderId: order.id as string, token: orderToken as string };
  });
  // Some of them change their mind while others begin to pay.
  const answers = await Promise.all(
    orders.map(async (order, index) => {
      const answer = await ask(order);
      const booking = days(14 + (index % 5), 22);
      const lines = products.map(({ sku }) => ({ sku, quantity: 1 }));
      if (index % 3 === 1) dataOf(await changeOrder(app, order, { booking }));
      if (index % 3 === 2) dataOf(await changeOrder(app, order, { booking, lines }));
      return answer;
    }),
  );
  expect(answers.map(codeOf)).toEqual(orders.map(() => undefined));
  for (const { id } of products) expect((await placesOf(app, { id }))[june(20)]).toBe('held 60, booked 0');
});

describe('locks are taken in one order, so that nobody waits in a circle', () => {
  /** Begins an act while somebody else has these rows, and asks what is free while it waits for them. */
  async function whileLocked(rows: string, act: () => Promise<unknown>, expectFree: (free: Free) => unknown) {
    const other = app.dataSource.createQueryRunner();
    await other.startTransaction();
    await other.query(`${rows} FOR NO KEY UPDATE`);
    const acting = act();
    try {
      await eventually(async () => {
        const waiting = await app.dataSource.query(
          `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        );
        expect(waiting).not.toEqual([]);
      });
      await expectFree(
        async (question) => (await app.dataSource.query(`${question} FOR UPDATE SKIP LOCKED`)).length,
      );
    } finally {
      await other.commitTransaction();
      await other.release();
      await acting;
    }
  }

  type Free = (question: string) => Promise<number>;

  const dayOf = ({ id }: Product, day: number) =>
    `SELECT 1 FROM product_day WHERE product_id = '${id}' AND day = '${june(day)}'`;

  const bookingOf = async (skus: readonly string[]): Promise<BookedOrder> => {
    const lines = skus.map((sku) => ({ sku, quantity: 1 }));
    const answer = await app.graphql(
      'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { order { id } orderToken } }',
      { input: { lines, booking: days(1, 3) } },
    );
    const { order, orderToken } = dataOf(answer).createOrder;
    return { orderId: order.id, token: orderToken };
  };

  test('the days by SKU and day', async () => {
    // Made in the order of their ids, which is not that of their SKUs.
    const [z, a] = [
      await app.addProduct({ sku: `Z-${randomUUID()}`, dailyCapacity: 5, stock: 5 }),
      await app.addProduct({ sku: `A-${randomUUID()}`, dailyCapacity: 5, stock: 5 }),
    ];
    const skus = [z.sku, a.sku];
    const held = await bookingOf(skus);
    const { id } = dataOf(await ask(held)).createPaymentIntent.paymentIntent;
    const acts = [
      async () => ask(await bookingOf(skus)),
      () => changeOrder(app, held, { booking: days(1, 4) }),
      () => cancelPayment(app, id, held.token),
    ];
    await settled(app);
    for (const act of acts) {
      await whileLocked(dayOf(a, 2), act, async (free) => {
        expect(await Promise.all([dayOf(a, 1), dayOf(a, 3), dayOf(z, 1)].map(free))).toEqual([0, 1, 1]);
      });
    }
  });

  test('the products before their days', async () => {
    const product = await app.addProduct({ dailyCapacity: 5, stock: 5 });
    const held = await openPayment(product, days(1, 3));
    await settled(app);
    const acts = [
      async () => ask(await bookingOf([product.sku])),
      () => changeOrder(app, held, { lines: [{ sku: product.sku, quantity: 2 }] }),
      () => cancelPayment(app, held.id, held.token),
    ];
    for (const act of acts) {
      await whileLocked(`SELECT 1 FROM product WHERE id = '${product.id}'`, act, async (free) => {
        expect(await free(dayOf(product, 1))).toBe(1);
      });
    }
  });
});

describe('whatever is booked, paid, moved, cancelled and refunded, one after the other or at once', () => {
  const CAPACITY = 2;
  const DEEDS = ['asks to pay', 'pays', 'cancels', 'is refunded', 'moves', 'takes two'] as const;
  type Deed = (typeof DEEDS)[number];

  interface Scene extends BookedOrder {
    readonly product: Product;
    readonly otherDays: WantedBooking;
  }

  const newestPayment = async ({ orderId }: Scene): Promise<{ id: string; secret: string } | undefined> => {
    const [row] = await app.dataSource.query(
      `SELECT i.reference AS id, a.provider_reference AS secret FROM payment_intent i
         JOIN orders o ON o.id = i.order_id JOIN payment_attempt a ON a.intent_id = i.id
       WHERE o.reference = $1 AND a.provider_reference IS NOT NULL ORDER BY i.created_at DESC LIMIT 1`,
      [orderId],
    );
    return row;
  };

  /** A refusal in our words is an answer; a fault of ours is not. */
  const expectAnswer = (code: string | undefined) =>
    expect(code ?? 'DONE').toMatch(
      /^(DONE|FULLY_BOOKED|ORDER_\w+|PAYMENT_NOT_\w+|CHANGED_MEANWHILE|BAD_USER_INPUT)$/,
    );

  const DO: Record<Deed, (scene: Scene) => Promise<void>> = {
    'asks to pay': async (scene) => expectAnswer(codeOf(await ask(scene))),
    async pays(scene) {
      const payment = await newestPayment(scene);
      if (!payment) return;
      try {
        app.stripe.pay(payment.secret, GOOD_CARD);
      } catch (error) {
        expect(String(error)).toMatch(/status|cancel/i);
      }
    },
    async cancels(scene) {
      const payment = await newestPayment(scene);
      if (payment) expectAnswer(codeOf(await cancelPayment(app, payment.id, scene.token)));
    },
    async 'is refunded'(scene) {
      const payment = await newestPayment(scene);
      if (payment) expectAnswer(codeOf(await refundPayment(app, payment)));
    },
    moves: async (scene) => expectAnswer(codeOf(await changeOrder(app, scene, { booking: scene.otherDays }))),
    'takes two': async (scene) =>
      expectAnswer(
        codeOf(await changeOrder(app, scene, { lines: [{ sku: scene.product.sku, quantity: 2 }] })),
      ),
  };

  const someDays = fc
    .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 3 }))
    .map(([first, more]) => days(first, first + more));

  const stories = fc.array(
    fc.record({
      wanted: someDays,
      otherDays: someDays,
      deeds: fc.array(fc.constantFrom(...DEEDS), { minLength: 1, maxLength: 4 }),
    }),
    { minLength: 3, maxLength: 6 },
  );

  test('no day is overbooked, and each day’s places are those of its bookings', async () => {
    await fc.assert(
      fc.asyncProperty(stories, async (all) => {
        const product = await parking(CAPACITY);
        await Promise.all(
          all.map(async ({ wanted, otherDays, deeds }) => {
            const scene = { ...(await bookableOrder(app, product, wanted)), product, otherDays };
            for (const deed of ['asks to pay', ...deeds] as const) await DO[deed](scene);
          }),
        );
        await settled(app);
        await expectInvariants(app.dataSource);
        await expectDaysToBeTheSums(product);
      }),
      { numRuns: 25 },
    );
  });

  /** Counted anew from the orders alone, without the table that says which places they took. */
  async function expectDaysToBeTheSums(product: Product): Promise<void> {
    const orders: { first: string; last: string; quantity: number; booked: boolean }[] =
      await app.dataSource.query(
        `SELECT o.booking_first_day::text AS first, o.booking_last_day::text AS last, l.quantity,
           b.id IS NOT NULL AS booked
         FROM orders o JOIN order_line l ON l.order_id = o.id LEFT JOIN booking b ON b.order_id = o.id
         WHERE l.product_id = $1 AND (o.reserved_until IS NOT NULL OR b.status = 'CONFIRMED')`,
        [product.id],
      );
    const counted: Record<string, string> = {};
    for (let day = 1; day <= 12; day += 1) {
      const here = orders.filter(({ first, last }) => first <= june(day) && june(day) <= last);
      const sum = (booked: boolean) =>
        here.filter((order) => order.booked === booked).reduce((total, { quantity }) => total + quantity, 0);
      if (here.length > 0) counted[june(day)] = `held ${sum(false)}, booked ${sum(true)}`;
      expect(sum(true) + sum(false)).toBeLessThanOrEqual(CAPACITY);
    }
    expect(await placesOf(app, product)).toEqual(counted);
  }
});

describe('one thing inside another', () => {
  test('the last place is sold between reading the late payment and writing it: the money goes back', async () => {
    const product = await parking(1);
    const payment = await openPayment(product, days(1), { method: 'BANK', returnUrl: RETURN_URL });
    dataOf(await cancelPayment(app, payment.id, payment.token));
    steps.beforeWriting('booking.confirmed', () => openPayment(product, days(1)));
    app.bank.payLate(`${payment.id}-1`);
    await eventually(async () => {
      const [row] = await app.dataSource.query('SELECT status FROM payment_intent WHERE reference = $1', [
        payment.id,
      ]);
      expect(row.status).toBe('REFUNDED');
    });
    expect(await placesOf(app, product)).toEqual({ [june(1)]: 'held 1, booked 0' });
  });

  test('the order moves to other days while its payment is written: what is booked is what it says then', async () => {
    const product = await parking(1);
    const payment = await openPayment(product, days(1));
    await settled(app);
    steps.beforeWriting('booking.confirmed', () => changeOrder(app, payment, { booking: days(2) }));
    app.stripe.pay(payment.clientSecret, GOOD_CARD);
    await allPaid([payment.id]);
    expect((await readBookedOrder(app, payment)).booking).toMatchObject({ status: 'CONFIRMED', ...days(2) });
    expect(await placesOf(app, product)).toEqual({ [june(2)]: 'held 0, booked 1' });
  });

  test('two refunds that together are everything, one inside the other, cancel the booking once', async () => {
    const product = await parking(1);
    const payment = await paidPayment(product, days(1));
    await settled(app);
    steps.before('stripe.refund', async () => dataOf(await refundPayment(app, payment, { amount: 1_000 })));
    dataOf(await refundPayment(app, payment, { amount: 500 }));
    await eventually(async () =>
      expect((await readBookedOrder(app, payment)).booking.status).toBe('CANCELLED'),
    );
    const entries = await app.dataSource.query(
      `SELECT count(*)::integer AS count FROM audit_log WHERE subject = $1 AND action = 'booking.cancelled'`,
      [payment.id],
    );
    expect(entries).toEqual([{ count: 1 }]);
    expect(await placesOf(app, product)).toEqual({});
  });
});

test('a review of late money that is accepted when its day is full is told so, and stays a review', async () => {
  const product = await parking(1);
  const late = await openPayment(product, days(2), { method: 'BANK', returnUrl: RETURN_URL });
  // As it stands between the change of the order and that of the payment.
  const sql = 'UPDATE orders SET amount = 2000, version = version + 1 WHERE reference = $1';
  await app.dataSource.query(sql, [late.orderId]);
  dataOf(await cancelPayment(app, late.id, late.token));
  app.bank.payLate(`${late.id}-1`);
  await eventually(async () => {
    const [row] = await app.dataSource.query('SELECT status FROM payment_intent WHERE reference = $1', [
      late.id,
    ]);
    expect(row.status).toBe('REVIEW');
  });
  await paidPayment(product, days(2));
  expect(codeOf(await settleReview(app, late, 'ACCEPT'))).toBe('FULLY_BOOKED');
  expect((await readBookedOrder(app, late)).booking.status).toBe('REQUESTED');
});

describe('a capacity that is changed', () => {
  const change = (product: Product, capacity: number | null) =>
    app.dataSource.query('UPDATE product SET daily_capacity = $2 WHERE id = $1', [product.id, capacity]);

  test('to more: there are more', async () => {
    const product = await parking(1);
    await openPayment(product, days(1));
    await change(product, 2);
    await openPayment(product, days(1));
    expect(await placesOf(app, product)).toEqual({ [june(1)]: 'held 2, booked 0' });
  });

  test('to fewer than are taken: these stay, can be paid and given back, and nobody else comes in', async () => {
    const product = await parking(3);
    const [one, two] = [await openPayment(product, days(1)), await openPayment(product, days(1))];
    const three = await paidPayment(product, days(1));
    await change(product, 1);
    const late = await bookableOrder(app, product, days(1));
    expect(codeOf(await ask(late))).toBe('FULLY_BOOKED');
    app.stripe.pay(one.clientSecret, GOOD_CARD);
    await allPaid([one.id]);
    dataOf(await cancelPayment(app, two.id, two.token));
    expect(codeOf(await ask(late))).toBe('FULLY_BOOKED');
    for (const paid of [one, three]) dataOf(await refundPayment(app, paid));
    await eventually(async () => expect(await placesOf(app, product)).toEqual({}));
    expect(codeOf(await ask(late))).toBeUndefined();
  });

  test.each([
    ['to none', 2, null],
    ['from none', null, 2],
  ])(
    '%s while somebody pays: what they took, and nothing else, is booked and given back',
    async (_, from, to) => {
      const product = await app.addProduct({ dailyCapacity: from, stock: null });
      const payment = await openPayment(product, days(1));
      const paid = await paidPayment(product, days(1));
      await change(product, to);
      const held = from === null ? {} : { [june(1)]: 'held 1, booked 1' };
      expect(await placesOf(app, product)).toEqual(held);
      const other = await paidPayment(product, days(1));
      dataOf(await cancelPayment(app, payment.id, payment.token));
      dataOf(await refundPayment(app, paid));
      await eventually(async () =>
        expect(await placesOf(app, product)).toEqual(to === null ? {} : { [june(1)]: 'held 0, booked 1' }),
      );
      expect((await readBookedOrder(app, other)).booking.status).toBe('CONFIRMED');
    },
  );
});

describe('the days that a time touches', () => {
  const PARIS = 'Europe/Paris';

  test.each([
    ['a day’s morning', '2027-06-01T06:00Z', '2027-06-01T10:00Z', 'UTC', '2027-06-01', '2027-06-01'],
    [
      'until midnight: not the day that begins',
      '2027-06-01T06:00Z',
      '2027-06-02T00:00Z',
      'UTC',
      '2027-06-01',
      '2027-06-01',
    ],
    [
      'a moment after midnight',
      '2027-06-01T06:00Z',
      '2027-06-02T00:00:00.001Z',
      'UTC',
      '2027-06-01',
      '2027-06-02',
    ],
    ['by the clock of the shop', '2027-06-01T22:30Z', '2027-06-02T21:59Z', PARIS, '2027-06-02', '2027-06-02'],
    [
      'west of Greenwich',
      '2027-06-01T02:00Z',
      '2027-06-01T12:00Z',
      'America/New_York',
      '2027-05-31',
      '2027-06-01',
    ],
    // 28 March 2027 has 23 hours in Paris: from 23:00 Z of the day before to 22:00 Z.
    ['all of the short day', '2027-03-27T23:00Z', '2027-03-28T22:00Z', PARIS, '2027-03-28', '2027-03-28'],
    [
      'a minute more than the short day',
      '2027-03-27T23:00Z',
      '2027-03-28T22:01Z',
      PARIS,
      '2027-03-28',
      '2027-03-29',
    ],
    // 31 October 2027 has 25.
    ['all of the long day', '2027-10-30T22:00Z', '2027-10-31T23:00Z', PARIS, '2027-10-31', '2027-10-31'],
    [
      'a minute before the long day',
      '2027-10-30T21:59Z',
      '2027-10-31T23:00Z',
      PARIS,
      '2027-10-30',
      '2027-10-31',
    ],
    [
      'over the end of a year',
      '2027-12-31T23:30Z',
      '2028-01-01T01:00Z',
      'Africa/Abidjan',
      '2027-12-31',
      '2028-01-01',
    ],
  ])('%s', (_how, startsAt, endsAt, timeZone, firstDay, lastDay) => {
    expect(daysTouched(new Date(startsAt), new Date(endsAt), timeZone)).toEqual({ firstDay, lastDay });
  });

  test.each(['Mars/Olympus', '+01:00', 'CET+1'])(
    'need a time zone by its IANA name: %s is refused at start',
    (name) => {
      expect(() => loadConfig({ SHOP_TIME_ZONE: name })).toThrow('SHOP_TIME_ZONE must be an IANA time zone');
      expect(loadConfig({ SHOP_TIME_ZONE: 'Africa/Abidjan' }).shopTimeZone).toBe('Africa/Abidjan');
    },
  );

  test('follow the shop’s time zone as it was when the order was made', async () => {
    const paris = await startTestApp({ shopTimeZone: PARIS });
    try {
      const product = await paris.addProduct({ dailyCapacity: 1, stock: null });
      const night = { startsAt: `${june(1)}T22:30:00.000Z`, endsAt: `${june(2)}T21:30:00.000Z` };
      const order = await bookableOrder(paris, product, night);
      await paris.pay(order.orderId, order.token);
      expect(await placesOf(paris, product)).toEqual({ [june(2)]: 'held 1, booked 0' });
    } finally {
      await paris.stop();
    }
  });
});
