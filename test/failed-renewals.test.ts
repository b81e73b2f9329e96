import { newCustomer, payWith } from './support/customers.js';
import { emailSettings } from './support/email-settings.js';
import { eventually } from './support/eventually.js';
import { expectInvariants } from './support/invariants.js';
import { startMailServer, type MailServer } from './support/mail-server.js';
import { emailsOf } from './support/mailed-orders.js';
import { cancelPayment } from './support/payment-calls.js';
import { codeOf, dataOf, RETURN_URL, startTestApp, type RunningApp } from './support/running-app.js';
import {
  activeSubscription,
  allIsHeard,
  atProvider,
  cancelSubscription,
  chargeFromNowOn,
  DAY,
  expectEachChargeToBeOneMovement,
  inDashboard,
  MONTH,
  paymentsOf,
  readSubscription,
  stands,
  untilSubscription,
} from './support/subscriptions.js';

const VISA = '4242424242424242';
const NO_FUNDS = '4000000000000341';
const ALWAYS_ASKS = '4000002760003184';
/** Is in processing first. */
const BANK_DEBIT = '000123456789';

let mails: MailServer;
let settings: Awaited<ReturnType<typeof emailSettings>>;
let app: RunningApp;
beforeAll(async () => {
  mails = await startMailServer();
  settings = await emailSettings(mails.url, { reminderAfterMilliseconds: DAY });
  app = await startTestApp({ emails: settings });
});
afterEach(async () => {
  app.stripe.misbehave({});
  await allIsHeard(app);
  await expectInvariants(app.dataSource);
  await expectEachChargeToBeOneMovement(app);
});
afterAll(async () => {
  await app.stop();
  settings.delivery.close();
  await mails.stop();
});

/** Its card brings nothing any more, and Stripe has tried its first renewal once. */
async function failedRenewal(card = NO_FUNDS) {
  const begun = await activeSubscription(app);
  await chargeFromNowOn(app, begun, card);
  app.stripe.playTimeForward(MONTH);
  const failing = await untilSubscription(app, begun.id, stands('PAST_DUE', 'PAID', 'PENDING'));
  await eventually(
    async () => paymentsOf(await readSubscription(app, begun.id))[1]!,
    ({ failureCode }) => failureCode !== null,
  );
  const [{ id: orderId }] = failing.orders;
  return { ...begun, orderId: orderId as string, paymentId: paymentsOf(failing)[1]!.id };
}

/** The provider's id of the invoice that is not paid. */
async function latestInvoice(id: string): Promise<string> {
  const { latest_invoice } = await inDashboard(app, `subscriptions/${await atProvider(app, id)}`, {
    description: 'looked at',
  });
  return latest_invoice;
}

const mailsOf = async (paymentId: string) => (await emailsOf(app, paymentId)).map(({ template }) => template);

const untilMailed = (paymentId: string, ...templates: string[]) =>
  eventually(
    () => mailsOf(paymentId),
    (mailed) => mailed.join() === templates.join(),
  );

/** The one whose text, or subject, says this. */
async function mailTo(address: string, words: string) {
  const found = await eventually(
    () =>
      Promise.resolve(
        mails.mails.find(
          ({ to, subject, text }) =>
            to?.some((one) => one.address === address) && `${subject} ${text}`.includes(words),
        ),
      ),
    (mail) => mail !== undefined,
  );
  return found!;
}

const pay = (orderId: string, input: object = {}, token = app.apiKey) => payWith(app, orderId, token, input);

describe('a renewal that was refused', () => {
  test('is open while the provider tries: it says why, and its customer is written to once', async () => {
    const { id, paymentId } = await failedRenewal();
    app.stripe.misbehave({ duplicate: 1, reorder: true, seed: 5 });
    app.stripe.playTimeForward(9 * DAY);
    await app.stripe.settled();
    const failing = await untilSubscription(app, id, stands('PAST_DUE', 'PAID', 'PENDING'));
    expect(paymentsOf(failing)[1]).toMatchObject({
      id: paymentId,
      failureCode: 'generic_decline',
      failureMessage: expect.any(String),
    });
    expect(failing.orders[0].status).toBe('OPEN');
    expect(app.stripe.chargesFor(await atProvider(app, id)).map(({ status }) => status)).toEqual([
      'succeeded',
      ...['failed', 'failed', 'failed'],
    ]);
    expect(await mailsOf(paymentId)).toEqual(['PAYER_NEEDED']);
    const reminders = await app.dataSource.query(
      `SELECT 1 FROM graphile_worker.jobs j JOIN payment_intent i ON j.key = 'reminder:' || i.id WHERE i.reference = $1`,
      [paymentId],
    );
    expect(reminders).toEqual([]);
  });

  test('is paid by the provider’s later try, and that is no late money', async () => {
    const { customer, id, paymentId } = await failedRenewal();
    await chargeFromNowOn(app, { customer, id }, VISA);
    app.stripe.misbehave({ duplicate: 1, reorder: true, seed: 7 });
    app.stripe.playTimeForward(4 * DAY);
    const paid = await untilSubscription(app, id, stands('ACTIVE', 'PAID', 'PAID'));
    expect(paymentsOf(paid)[1]).toMatchObject({ id: paymentId, failureCode: null });
    expect(paid.orders[0].status).toBe('CONFIRMED');
    await untilMailed(paymentId, 'PAYER_NEEDED', 'ORDER_CONFIRMED');
  });

  test.each([
    ['whatever way was asked for', {}],
    ['by card', { method: 'CARD', presentation: 'EMBEDDED' }],
  ])('can be paid by the payer themselves, %s, on the same attempt', async (_, input) => {
    const { id, orderId, paymentId } = await failedRenewal();
    const opened = dataOf(await pay(orderId, input)).createPaymentIntent;
    expect(opened).toMatchObject({
      paymentIntent: { id: paymentId, status: 'PENDING' },
      nextAction: { __typename: 'ConfirmWithStripe', publishableKey: 'pk_test_of_tests' },
    });
    app.stripe.pay(opened.nextAction.clientSecret, NO_FUNDS);
    app.stripe.pay(opened.nextAction.clientSecret, VISA);
    const paid = await untilSubscription(app, id, stands('ACTIVE', 'PAID', 'PAID'));
    expect(paid.orders[0]).toMatchObject({
      status: 'CONFIRMED',
      paymentIntents: [{ id: paymentId, attempts: [{ number: 1, status: 'SUCCEEDED' }] }],
    });
    await untilMailed(paymentId, 'PAYER_NEEDED', 'ORDER_CONFIRMED');
    app.stripe.playTimeForward(MONTH);
    await untilSubscription(app, id, stands('ACTIVE', 'PAID', 'PAID', 'PAID'));
  });

  test('leads its customer to the page where they pay it', async () => {
    const { customer, id, orderId } = await failedRenewal();
    const mail = await mailTo(customer.email, 'needs you');
    const token = decodeURIComponent(/&token=(\S+)/.exec(mail.text!)![1]!);
    const options = 'query ($id: ID!) { paymentOptions(orderId: $id) { provider method presentation } }';
    expect(dataOf(await app.graphql(options, { id: orderId }, token)).paymentOptions).toEqual([
      { provider: 'stripe', method: 'CARD', presentation: 'EMBEDDED' },
    ]);
    const { nextAction } = dataOf(
      await pay(orderId, { idempotencyKey: 'a key of the page' }, token),
    ).createPaymentIntent;
    app.stripe.pay(nextAction.clientSecret, VISA);
    await untilSubscription(app, id, stands('ACTIVE', 'PAID', 'PAID'));
    expect(dataOf(await app.graphql(options, { id: orderId }, token)).paymentOptions).toEqual([]);
  });

  test('because its bank asks is paid once the payer has answered', async () => {
    const { id, orderId, paymentId } = await failedRenewal(ALWAYS_ASKS);
    expect(paymentsOf(await readSubscription(app, id))[1]!.failureCode).toBe('authentication_required');
    const { nextAction } = dataOf(await pay(orderId)).createPaymentIntent;
    app.stripe.authenticate(nextAction.clientSecret, 'complete');
    await untilSubscription(app, id, stands('ACTIVE', 'PAID', 'PAID'));
    await untilMailed(paymentId, 'PAYER_NEEDED', 'ORDER_CONFIRMED');
  });

  test('that is in processing is left to its bank', async () => {
    const { id, orderId, paymentId } = await failedRenewal();
    const { nextAction } = dataOf(await pay(orderId)).createPaymentIntent;
    app.stripe.pay(nextAction.clientSecret, BANK_DEBIT);
    await untilSubscription(app, id, stands('PAST_DUE', 'PAID', 'PROCESSING'));
    const again = dataOf(await pay(orderId)).createPaymentIntent;
    expect(again).toMatchObject({ paymentIntent: { id: paymentId, status: 'PROCESSING' }, nextAction: null });
    app.stripe.settle(nextAction.clientSecret, 'succeed');
    await untilSubscription(app, id, stands('ACTIVE', 'PAID', 'PAID'));
  });

  test('is paid in no other way, changed by nobody, and ended by the provider alone', async () => {
    const { id, orderId, paymentId } = await failedRenewal();
    const requests = () => app.stripe.requests('payment_intents.create');
    const before = requests();
    for (const input of [
      { method: 'MOBILE_MONEY', phoneNumber: '+22951345789' },
      { provider: 'bank-x', returnUrl: RETURN_URL },
      { method: 'CARD', presentation: 'REDIRECT', returnUrl: RETURN_URL },
      { saveMethod: true },
    ]) {
      const refused = await pay(orderId, input);
      expect(codeOf(refused)).toBe('NO_WAY_TO_PAY');
      expect(refused.errors![0]!.message).toContain('provider of its subscription');
    }
    const cancelled = await cancelPayment(app, paymentId, app.apiKey);
    expect(codeOf(cancelled)).toBe('PAYMENT_NOT_CANCELLABLE');
    expect(cancelled.errors![0]!.message).toContain('cancel the subscription');
    const cancelOrder = 'mutation ($id: ID!) { cancelOrder(id: $id) { status } }';
    expect(codeOf(await app.graphql(cancelOrder, { id: orderId }, app.apiKey))).toBe(
      'PAYMENT_NOT_CANCELLABLE',
    );
    const { sku } = await app.addProduct();
    const change = 'mutation ($input: UpdateOrderInput!) { updateOrder(input: $input) { id } }';
    const input = { orderId, lines: [{ sku, quantity: 1 }] };
    expect(codeOf(await app.graphql(change, { input }, app.apiKey))).toBe('BAD_USER_INPUT');
    expect(requests()).toBe(before);
    expect(app.stripe.requests('payment_intents.cancel')).toBe(0);
    await untilSubscription(app, id, stands('PAST_DUE', 'PAID', 'PENDING'));
  });

  test('outlives the time that a payer usually has', async () => {
    const short = await startTestApp({ reservationMilliseconds: 100 });
    try {
      const begun = await activeSubscription(short);
      await chargeFromNowOn(short, begun, NO_FUNDS);
      short.stripe.playTimeForward(MONTH);
      await untilSubscription(short, begun.id, stands('PAST_DUE', 'PAID', 'PENDING'));
      const { sku } = await short.addProduct();
      const { orderId, token } = await short.order(sku);
      const later = await short.pay(orderId, token, { method: 'CARD' });
      await eventually(
        () => short.dataSource.query('SELECT status FROM payment_intent WHERE reference = $1', [later.id]),
        ([{ status }]) => status === 'EXPIRED',
      );
      expect(stands('PAST_DUE', 'PAID', 'PENDING')(await readSubscription(short, begun.id))).toBe(true);
    } finally {
      await short.stop();
    }
  });
});

describe('a renewal that nobody collects any more', () => {
  test('has failed with the provider’s last try, and can’t be paid', async () => {
    const { customer, id, orderId, paymentId } = await failedRenewal();
    app.stripe.playTimeForward(MONTH);
    const ended = await untilSubscription(app, id, stands('CANCELLED', 'PAID', 'FAILED'));
    expect(ended.endedAt).not.toBeNull();
    expect(paymentsOf(ended)[1]!.failureCode).toBe('generic_decline');
    expect(codeOf(await pay(orderId))).toBe('NO_WAY_TO_PAY');
    await untilMailed(paymentId, 'PAYER_NEEDED', 'PAYMENT_FAILED');
    const mail = await mailTo(customer.email, 'did not go through');
    expect(mail.text).not.toContain('token=');
    expect(mail.text).not.toContain('try again');
  });

  test.each([
    ['mark_uncollectible', 'FAILED', 'PAYMENT_FAILED'],
    ['void', 'CANCELLED', undefined],
  ])('is over: %s', async (deed, status, mailed) => {
    const { id, orderId, paymentId } = await failedRenewal();
    await inDashboard(app, `invoices/${await latestInvoice(id)}/${deed}`);
    await untilSubscription(app, id, stands('ACTIVE', 'PAID', status));
    expect(codeOf(await pay(orderId))).toBe('NO_WAY_TO_PAY');
    await untilMailed(paymentId, 'PAYER_NEEDED', ...(mailed ? [mailed] : []));
  });

  test('is over with its subscription, when that is cancelled', async () => {
    const { customer, id, paymentId } = await failedRenewal();
    const stranger = await newCustomer(app);
    expect(codeOf(await cancelSubscription(app, id, false, stranger.token))).toBe('NOT_FOUND');
    const answer = dataOf(await cancelSubscription(app, id, false, customer.token));
    expect(stands('CANCELLED', 'PAID', 'CANCELLED')(answer.cancelRecurringSubscription)).toBe(true);
    app.stripe.playTimeForward(MONTH);
    await app.stripe.settled();
    expect(await mailsOf(paymentId)).toEqual(['PAYER_NEEDED']);
  });

  test('is late money when it is paid all the same', async () => {
    const { id, orderId, paymentId } = await failedRenewal();
    const { nextAction } = dataOf(await pay(orderId)).createPaymentIntent;
    dataOf(await cancelSubscription(app, id, false));
    app.stripe.pay(nextAction.clientSecret, VISA);
    await untilSubscription(app, id, stands('CANCELLED', 'PAID', 'PAID'));
    await untilMailed(paymentId, 'PAYER_NEEDED', 'PAID_LATE', 'UNEXPECTED_MONEY');
  });
});
