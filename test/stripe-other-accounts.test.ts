import { createStripeProvider } from '../src/providers/stripe/stripe-provider.js';
import { booksOf, storedEvents } from './support/books.js';
import { eventually } from './support/eventually.js';
import { newEventId, notify, STRIPE } from './support/notifying-provider.js';
import { dataOf, startTestApp, STRIPE_WEBHOOK_SECRET, type RunningApp } from './support/running-app.js';
import { stripeFixture } from './support/stripe-fixtures.js';

const OTHERS = [
  ['a connected account', { account: 'acct_other' }],
  ['an account of the same organisation', { context: 'acct_other' }],
  ['a connected account of another account', { context: 'acct_platform/acct_other' }],
  ['the live mode, while our key is of the test mode', { livemode: true }],
] as const;

const TYPES = [
  'payment_intent.succeeded',
  'payment_intent.succeeded.2020-08-27',
  'payment_intent.amount_capturable_updated',
  'payment_intent.payment_failed',
  'checkout.session.completed',
  'charge.refunded',
  'refund.created',
  'charge.dispute.created',
  'setup_intent.succeeded',
  'payment_method.detached',
  'customer.subscription.updated',
  'invoice.paid',
  'invoice.paid.2022-11-15',
  'balance.available',
] as const;

let app: RunningApp;

const replay = async (id: string) => {
  const mutation = `mutation ($id: ID!) { replayWebhookEvent(id: $id) { applied outcome } }`;
  return dataOf(await app.graphql(mutation, { id }, app.operatorToken)).replayWebhookEvent;
};

describe.each(OTHERS)('what happens in %s', (_, origin) => {
  afterEach(() => app.stop());

  test('is never applied to a payment of ours, whatever its type and whatever mark it carries', async () => {
    app = await startTestApp();
    const payment = await STRIPE.open(app);
    const before = await booksOf(app, payment.id);
    const values = { attempt: payment.attemptReference, paymentIntent: payment.providerReference };
    const readings = app.stripe.requests('subscriptions.retrieve') + app.stripe.requests('invoices.retrieve');
    for (const type of TYPES) {
      for (const paymentIntent of [payment.providerReference, 'pi_3SIManother']) {
        const event = newEventId();
        const body = stripeFixture(type, { ...values, event, paymentIntent }, origin);
        expect([type, await notify(app, STRIPE, body)]).toEqual([type, 200]);
        expect(await storedEvents(app, event)).toMatchObject([
          { status: 'IGNORED', outcome: expect.stringMatching(/of another Stripe account|of the live mode/) },
        ]);
      }
    }
    expect(await booksOf(app, payment.id)).toEqual(before);
    expect(app.stripe.requests('subscriptions.retrieve') + app.stripe.requests('invoices.retrieve')).toBe(
      readings,
    );
  });

  test('is ignored as well when Stripe’s list tells it, and when it is replayed', async () => {
    app = await startTestApp({ notificationListPauseMilliseconds: 50 });
    const payment = await STRIPE.open(app);
    app.stripe.pauseWebhooks();
    const values = { attempt: payment.attemptReference, paymentIntent: 'pi_3SIManother' };
    const { data } = JSON.parse(stripeFixture('payment_intent.succeeded', values));
    const event = app.stripe.happenElsewhere('payment_intent.succeeded', data.object, origin);

    const [stored] = await eventually(
      () => storedEvents(app, event),
      (found) => found.length === 1,
    );
    expect(stored).toMatchObject({ status: 'IGNORED', headers: {} });
    expect(await replay(stored!.id)).toEqual({
      applied: false,
      outcome: expect.stringContaining('read again, it is ignored'),
    });
    expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PENDING', movements: [] });
  });

  test('that an earlier version has kept to apply it later is ignored at the next try', async () => {
    app = await startTestApp();
    const event = newEventId();
    const body = stripeFixture('payment_intent.succeeded', {
      event,
      attempt: 'TXN-01K8Q5Z7M3N9P2R4S6T8V0W1X2-1',
    });
    expect(await notify(app, STRIPE, body)).toBe(200);
    expect(await storedEvents(app, event)).toMatchObject([{ status: 'WAITING' }]);
    await app.dataSource.query(
      'UPDATE webhook_event SET payload = $2, next_try_at = now() WHERE event_id = $1',
      [event, JSON.stringify({ ...JSON.parse(body), ...origin })],
    );
    await eventually(
      () => storedEvents(app, event),
      ([stored]) => stored?.status === 'IGNORED' && stored.nextTryAt === null,
    );
  });
});

describe('where STRIPE_ACCOUNT says which account is ours,', () => {
  const provider = (secretKey: string, account?: string) =>
    createStripeProvider({
      secretKey,
      publishableKey: 'pk_test_of_tests',
      webhookSecrets: [STRIPE_WEBHOOK_SECRET],
      ...(account && { account }),
    });
  const verdictOf = (origin: object, secretKey = 'sk_test_1', account?: string) => {
    const body = stripeFixture('payment_intent.succeeded', {}, origin);
    const headers = STRIPE.sign(body);
    return provider(secretKey, account).parseNotification(Buffer.from(body), headers, new Date()).verdict;
  };

  test('its events are ours, by account and by context, and those of any other are not', () => {
    expect(verdictOf({ account: 'acct_ours' }, 'sk_test_1', 'acct_ours')).toBe('accepted');
    expect(verdictOf({ context: 'acct_ours' }, 'sk_test_1', 'acct_ours')).toBe('accepted');
    expect(verdictOf({ context: 'acct_platform/acct_ours' }, 'sk_test_1', 'acct_ours')).toBe('accepted');
    expect(verdictOf({ account: null, context: null }, 'sk_test_1', 'acct_ours')).toBe('accepted');
    expect(verdictOf({ account: 'acct_ours2' }, 'sk_test_1', 'acct_ours')).toBe('ignored');
    expect(verdictOf({ account: 'acct_ours', context: 'acct_other' }, 'sk_test_1', 'acct_ours')).toBe(
      'ignored',
    );
  });

  test.each([
    ['sk_live_1', true],
    ['rk_live_1', true],
    ['sk_org_live_1', true],
    ['sk_test_1', false],
    ['rk_test_1', false],
  ])('a key like %s takes events of livemode %s, and no others', (secretKey, livemode) => {
    expect(verdictOf({ livemode }, secretKey)).toBe('accepted');
    expect(verdictOf({ livemode: !livemode }, secretKey)).toBe('ignored');
  });
});
