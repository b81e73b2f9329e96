import { pino } from 'pino';
import type { Product } from '../src/orders/product.js';
import type { Provider } from '../src/providers/provider.js';
import { TYPES_TO_LIST } from '../src/providers/stripe/notifications.js';
import { listsPayments } from '../src/reconcile/compare-books.js';
import { reconcileProvider, type Reconciliation } from '../src/reconcile/reconcile-provider.js';
import type { Difference } from '../src/reconcile/difference.js';
import { expectBooksToAgree } from './support/both-books.js';
import { eventually } from './support/eventually.js';
import { expectInvariants } from './support/invariants.js';
import { settled } from './support/settled.js';
import { startTestApp, type RunningApp } from './support/running-app.js';
import { decideAboutHeld, decideAboutReviews, endUnpaidSubscriptions } from './support/soak/evening.js';
import { heal } from './support/soak/heal.js';
import { paysWhatDoesNotFit } from './support/soak/misfits.js';
import { PAYERS } from './support/soak/payers.js';
import { RandomChoice } from './support/soak/random-choice.js';
import { Tally, type Scene } from './support/soak/scene.js';
import { holdAndDecide, SHOPS } from './support/soak/shops.js';
import { subscribes } from './support/soak/subscribers.js';
import { monthly } from './support/subscriptions.js';

/** `npm run soak` lets 2,000 payments live; the suite a few of them. */
const PAYMENTS = Number(process.env.SOAK_PAYMENTS ?? 160);
const SEED = Number(process.env.SOAK_SEED ?? 20_270_101);
const TELLS_PROGRESS = process.env.SOAK_PAYMENTS !== undefined;

const SIDE_BY_SIDE = 24;
const FAULTS = 0.1;
const LIST_PAUSE_MILLISECONDS = 3_000;
const MILLISECONDS_FOR_EACH = 600;

/** What else may happen than that somebody pays and the shop deals with it. */
const LIVES: readonly (readonly [weight: number, life: (scene: Scene) => Promise<void>])[] = [
  [58, payAndDeal],
  [15, holdAndDecide],
  [14, paysWhatDoesNotFit],
  [13, subscribes],
];

const MOST_DECISIONS = 5;

const providers: Provider[] = [];
let app: RunningApp;
let product: Product;
let magazine: string;
beforeAll(async () => {
  app = await startTestApp({
    notificationListPauseMilliseconds: LIST_PAUSE_MILLISECONDS,
    maxStripeObjects: 100 * PAYMENTS,
    decorate: (provider) => {
      providers.push(provider);
      return provider;
    },
  });
  product = await app.addProduct({ unitAmount: 1_500, stock: 4 * PAYMENTS });
  magazine = (await monthly(app)).sku;
});
afterAll(() => app.stop());

test(
  `${PAYMENTS} payments at two providers that lose a tenth of everything: in the end both sides’ books are the same`,
  async () => {
    const began = Date.now();
    const tally = new Tally();
    misbehave(FAULTS);
    await livesOf(PAYMENTS, tally);
    const lived = Date.now();
    misbehave(0);
    const patience = 60_000 + PAYMENTS * 50;
    const tellUnfinished = (unfinished: number) => say(`healing: ${unfinished} unfinished`);
    const office = { app, tally };
    await settled(app);
    say(`unpaid subscriptions that end: ${await endUnpaidSubscriptions(office)}`);
    await heal(app, patience, tellUnfinished);
    say(`held until the evening: ${await decideAboutHeld(office)}`);
    // What Stripe told nobody is in its list.
    await untilStripesListIsRead(patience);
    await heal(app, patience, tellUnfinished);
    const decideAboutAll = async () => {
      for (let round = 0; round < MOST_DECISIONS && (await decideAboutReviews(office)) > 0; round += 1) {
        await heal(app, patience, tellUnfinished);
      }
    };
    await decideAboutAll();
    // A bank has no such list: what it told nobody of payments that were over is found by comparing.
    const reconciled = await reconcile(new Date(began - 60_000));
    await heal(app, patience, tellUnfinished);
    await decideAboutAll();
    expect(await counted('payment_intent', ['REVIEW'])).toEqual({});

    const totals = await expectBooksToAgree(app);
    await expectInvariants(app.dataSource, [product]);
    await expectNobodyPaidTwice();
    expect(Object.keys(tally.counts).filter((answer) => answer.endsWith('INTERNAL_SERVER_ERROR'))).toEqual(
      [],
    );
    expect(await counted('webhook_event', ['PARKED', 'WAITING'])).toEqual({});
    say(
      JSON.stringify(
        {
          seconds: {
            lived: (lived - began) / 1_000,
            healed: (Date.now() - lived) / 1_000,
          },
          totals,
          payments: await counted('payment_intent'),
          refunds: await counted('refund'),
          disputes: await counted('dispute'),
          subscriptions: await counted('recurring_subscription'),
          webhookEvents: await counted('webhook_event'),
          foundByComparing: Object.fromEntries(
            reconciled.map(({ provider, compared, found }) => [provider, { compared, found: found.length }]),
          ),
          answers: tally.counts,
          requestsToStripe: app.stripe.counts().requests,
          requestsToTheBank: app.bank.counts().requests,
          webhooks: { stripe: app.stripe.counts().webhooks, bank: app.bank.counts().webhooks },
        },
        null,
        2,
      ),
    );
    // Stripe's list brings all; of the bank's payments, comparing has repaired all.
    expect(reconciled.find(({ provider }) => provider === 'stripe')).toMatchObject({ found: [] });
    expect(await withoutDecided(reconciled.flatMap(({ left }) => left))).toEqual([]);
  },
  120_000 + PAYMENTS * MILLISECONDS_FOR_EACH,
);

function misbehave(share: number): void {
  for (const double of [app.stripe, app.bank]) {
    double.faultsByChance({ share, seed: SEED });
    double.misbehave(
      share === 0 ? {} : { drop: share, duplicate: share, reorder: true, delayMilliseconds: 100, seed: SEED },
    );
  }
}

async function livesOf(count: number, tally: Tally): Promise<void> {
  let begun = 0;
  const oneAfterTheOther = async () => {
    while (begun < count) {
      begun += 1;
      if (begun % 250 === 0) say(`${begun} of ${count}`);
      await live(begun, tally);
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, oneAfterTheOther));
}

async function live(number: number, tally: Tally): Promise<void> {
  const choice = new RandomChoice(SEED + number);
  const scene: Scene = {
    ...{ app, choice, tally, sku: product.sku, magazine },
    ...(await app.order(product.sku)),
  };
  await choice.of(LIVES)(scene);
}

async function payAndDeal(scene: Scene): Promise<void> {
  const payment = await scene.choice.of(PAYERS)(scene);
  if (payment) await scene.choice.of(SHOPS)(scene, payment);
}

function reconcile(since: Date): Promise<Reconciliation[]> {
  const dependencies = {
    providers: new Map(providers.map((provider) => [provider.name, provider])),
    wakeRelay: () => {},
    actor: 'soak',
    log: pino({ level: 'silent' }),
  };
  const range = { since, until: new Date(Date.now() + 60_000) };
  return Promise.all(
    providers
      .filter(listsPayments)
      .map((provider) =>
        reconcileProvider(app.dataSource.manager, dependencies, () => provider, range, { repair: true }),
      ),
  );
}

/** Whatever of it we listen to has come, by its notification or by the list. */
async function untilStripesListIsRead(patienceMilliseconds: number): Promise<void> {
  const listened = new Set<string>(TYPES_TO_LIST.flat());
  const told = app.stripe.events().filter(({ type }) => listened.has(type));
  const missing = () =>
    app.dataSource.query<{ id: string }[]>(
      `SELECT told.id FROM unnest($1::text[]) AS told (id)
       WHERE NOT EXISTS (SELECT FROM webhook_event e WHERE e.provider = 'stripe' AND e.event_id = told.id)`,
      [told.map(({ id }) => id)],
    );
  await eventually(missing, (events) => events.length === 0, patienceMilliseconds);
}

/** What an operator keeps of two payments for one order is said to be twice, and is theirs to say. */
async function withoutDecided(left: readonly Difference[]): Promise<Difference[]> {
  const rows = await app.dataSource.query<{ reference: string }[]>(
    `SELECT o.reference FROM orders o JOIN payment_intent i ON i.order_id = o.id
       JOIN audit_log a ON a.subject = i.reference
     WHERE a.action IN ('review.accept', 'review.close')`,
  );
  const decided = new Set(rows.map(({ reference }) => reference));
  return left.filter(({ type, orderReference }) => type !== 'DOUBLE' || !decided.has(orderReference ?? ''));
}

/**
 * Of all that an order's payments took, no more than its price is kept, and nothing where it is not confirmed: unless an
 * operator said so, or Stripe keeps what is too much of an invoice as its customer's credit.
 */
async function expectNobodyPaidTwice(): Promise<void> {
  const sql = `SELECT o.reference, o.amount, o.status, sum(i.captured_amount - i.refunded_amount - i.disputed_amount) AS kept
    FROM orders o JOIN payment_intent i ON i.order_id = o.id
    WHERE NOT EXISTS (SELECT FROM payment_intent d JOIN audit_log a ON a.subject = d.reference
        WHERE d.order_id = o.id AND a.action IN ('review.accept', 'review.close'))
    GROUP BY o.id
    HAVING (sum(i.captured_amount - i.refunded_amount - i.disputed_amount) > o.amount
        AND bool_and(i.failure_code IS DISTINCT FROM 'OVERPAID'))
      OR (o.status <> 'CONFIRMED' AND sum(i.captured_amount - i.refunded_amount - i.disputed_amount) > 0)`;
  expect(await app.dataSource.query(sql)).toEqual([]);
}

/** How many rows there are of each status, or of these. */
async function counted(table: string, statuses: readonly string[] | null = null): Promise<object> {
  const rows: { status: string; count: number }[] = await app.dataSource.query(
    `SELECT status, count(*)::integer AS count FROM ${table}
     WHERE $1::text[] IS NULL OR status = ANY($1) GROUP BY status ORDER BY status`,
    [statuses],
  );
  return Object.fromEntries(rows.map(({ status, count }) => [status, count]));
}

function say(line: string): void {
  if (TELLS_PROGRESS) process.stderr.write(`${line}\n`);
}
