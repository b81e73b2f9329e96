import { booksOf, storedEvents, untilStatus } from './support/books.js';
import { ON_PAGE_OF_PAYDUNYA, orderInFrancs } from './support/mobile-money.js';
import { STRIPE } from './support/notifying-provider.js';
import { startTestApp, type RunningApp } from './support/running-app.js';
import { expectSettled } from './support/settled.js';
import { GOOD_CARD } from './support/ways-to-pay.js';

const MINUTE = 60_000;

describe.each([
  ['ten minutes slow', -10 * MINUTE],
  ['ten minutes fast', 10 * MINUTE],
])('on a machine whose clock is %s', (_, off) => {
  let app: RunningApp;
  beforeEach(async () => {
    app = await startTestApp({
      machineClock: () => Date.now() + off,
      notificationListPauseMilliseconds: 50,
    });
  });
  afterEach(async () => {
    await expectSettled(app);
    await app.stop();
  });

  test('a hint is asked about at once, and what came is dated by the database', async () => {
    const { orderId, token } = await orderInFrancs(app);
    const { id } = await app.pay(orderId, token, ON_PAGE_OF_PAYDUNYA);
    app.paydunya.pay(`${id}-1`);
    await untilStatus(app, id, 'PAID');
    const dated = await app.dataSource.query(
      `SELECT bool_and(abs(extract(epoch FROM now() - received_at)) < 60) AS "isRight" FROM webhook_event`,
    );
    expect(dated).toEqual([{ isRight: true }]);
  });

  test('a signed notification is not taken for an old one', async () => {
    const payment = await STRIPE.open(app);
    app.stripe.pay(payment.providerReference, GOOD_CARD);
    await untilStatus(app, payment.id, 'PAID');
    expect(await booksOf(app, payment.id)).toMatchObject({ orderStatus: 'CONFIRMED' });
  });

  test('a notification that was lost is caught up with at once', async () => {
    const payment = await STRIPE.open(app);
    await app.stripe.settled();
    app.stripe.pauseWebhooks();
    app.stripe.pay(payment.providerReference, GOOD_CARD);
    await untilStatus(app, payment.id, 'PAID');
    const [caughtUp] = (await storedEvents(app)).filter(({ type }) => type === 'payment_intent.succeeded');
    expect(caughtUp).toMatchObject({ status: 'APPLIED', headers: {} });
  });
});
