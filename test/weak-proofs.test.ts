import { createHash, randomUUID } from 'node:crypto';
import { AuditEntry } from '../src/audit/audit-entry.js';
import { booksOf, storedEvents } from './support/books.js';
import { eventually } from './support/eventually.js';
import { expectInvariants } from './support/invariants.js';
import {
  AMOUNT,
  BY_PHONE,
  BY_SOFTPAY,
  expireNow,
  lookNow,
  ON_PAGE_OF_PAYDUNYA,
  orderInFrancs,
  providerReferenceOf,
  readWhole,
  untilPayment,
} from './support/mobile-money.js';
import { cancelPayment } from './support/payment-calls.js';
import { dataOf, PAYDUNYA_KEYS, startTestApp, type RunningApp } from './support/running-app.js';

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp({ signPawaPayCallbacks: false });
});
afterEach(async () => {
  app.pawapay.resumeWebhooks();
  app.paydunya.resumeWebhooks();
  await Promise.all([app.pawapay.settled(), app.paydunya.settled()]);
  await expectInvariants(app.dataSource);
});
afterAll(() => app.stop());

/** Nobody but the test gives a reason to ask a provider: no payment is due to be looked at, and nothing waits. */
async function quiet(): Promise<void> {
  const later = `now() + interval '1 hour'`;
  await app.dataSource.query(
    `UPDATE payment_intent SET next_check_at = ${later} WHERE next_check_at IS NOT NULL`,
  );
  await app.dataSource.query(`UPDATE webhook_event SET next_try_at = ${later} WHERE status = 'WAITING'`);
}

async function opened(way: object, product: Parameters<typeof orderInFrancs>[1] = {}) {
  const order = await orderInFrancs(app, product);
  const payment = await app.pay(order.orderId, order.token, way);
  const providerReference = await providerReferenceOf(app, payment.id);
  await quiet();
  return { ...order, id: payment.id, reference: `${payment.id}-1`, providerReference };
}

type Opened = Awaited<ReturnType<typeof opened>>;

/** How somebody, whoever it is, sends what only the provider should. */
interface Weak {
  readonly name: string;
  readonly provider: 'pawapay' | 'paydunya';
  readonly proof: 'NONE' | 'STATIC_SECRET';
  readonly way: object;
  approve(payment: Opened): void;
  decline(payment: Opened): void;
  /** The body of a notification that says that it is paid, and how it is sent. */
  paid(payment: Pick<Opened, 'reference' | 'providerReference'>, amount?: number): Sent;
  /** How often the provider was asked how a payment stands. */
  asked(): number;
  failToAnswer(times: number): void;
  pause(): void;
}

interface Sent {
  readonly body: string;
  readonly contentType: string;
}

const MASTER_KEY_HASH = createHash('sha512').update(PAYDUNYA_KEYS.masterKey).digest('hex');

const PAWAPAY: Weak = {
  name: 'pawaPay, without a signature',
  provider: 'pawapay',
  proof: 'NONE',
  way: BY_PHONE,
  approve: ({ reference }) => app.pawapay.approve(reference),
  decline: ({ reference }) => app.pawapay.decline(reference),
  paid: ({ reference, providerReference }, amount = AMOUNT) => ({
    contentType: 'application/json',
    body: JSON.stringify({
      depositId: providerReference,
      status: 'COMPLETED',
      amount: `${amount}.00`,
      currency: 'XOF',
      metadata: { attempt: reference },
    }),
  }),
  asked: () => app.pawapay.counts().requests.getDeposit,
  failToAnswer: (times) => app.pawapay.answerNext('getDeposit', { kind: 'status', status: 503 }, times),
  pause: () => app.pawapay.pauseWebhooks(),
};

const PAYDUNYA: Weak = {
  name: 'PayDunya, with the hash that all of its notifications carry',
  provider: 'paydunya',
  proof: 'STATIC_SECRET',
  way: BY_SOFTPAY,
  approve: ({ reference }) => app.paydunya.approve(reference),
  decline: ({ reference }) => app.paydunya.decline(reference),
  paid: ({ reference, providerReference }, amount = AMOUNT) => ({
    contentType: 'application/x-www-form-urlencoded',
    body: new URLSearchParams({
      data: JSON.stringify({
        response_code: '00',
        hash: MASTER_KEY_HASH,
        mode: 'test',
        status: 'completed',
        invoice: { token: providerReference, total_amount: amount },
        custom_data: { attempt: reference },
      }),
    }).toString(),
  }),
  asked: () => app.paydunya.counts().requests.confirmInvoice,
  failToAnswer: (times) => app.paydunya.answerNext('confirmInvoice', { kind: 'status', status: 503 }, times),
  pause: () => app.paydunya.pauseWebhooks(),
};

async function send({ provider }: Weak, { body, contentType }: Sent): Promise<number> {
  const response = await fetch(`${app.url}/webhooks/${provider}`, {
    method: 'POST',
    headers: { 'content-type': contentType },
    body,
  });
  return response.status;
}

const eventsOf = async (id: string) =>
  app.dataSource.query<
    { id: string; status: string; outcome: string; proof: string; tries: number; payload: string }[]
  >(
    `SELECT w.id, w.status, w.outcome, w.proof, w.tries, w.payload FROM webhook_event w
     JOIN payment_intent i ON i.id = w.intent_id WHERE i.reference = $1 ORDER BY w.received_at`,
    [id],
  );

const untilEvents = (id: string, like: object[]) =>
  eventually(async () => {
    const events = await eventsOf(id);
    expect(events).toMatchObject(like);
    return events;
  });

/** Also those that are of no payment yet. */
const eventsOrWaiting = (reference: string): Promise<unknown[]> =>
  app.dataSource.query(`SELECT id FROM webhook_event WHERE event_id = $1 OR payload LIKE $2`, [
    `hint:${reference}`,
    `%${reference}%`,
  ]);

/** Those that wait are taken up now. */
const retryNow = () =>
  app.dataSource.query(`UPDATE webhook_event SET next_try_at = now() WHERE status = 'WAITING'`);

describe.each([PAWAPAY, PAYDUNYA])('a notification of $name', (weak) => {
  it('is a hint: the provider is asked, and what it answers is believed', async () => {
    const payment = await opened(weak.way);
    const asked = weak.asked();
    weak.approve(payment);
    await untilPayment(app, payment.id, { status: 'PAID', capturedAmount: AMOUNT });
    expect(weak.asked()).toBe(asked + 1);
    await untilEvents(payment.id, [{ status: 'APPLIED', proof: weak.proof, outcome: 'PENDING → PAID' }]);
  });

  it('says so to operators, with its proof', async () => {
    const payment = await opened(weak.way);
    weak.approve(payment);
    await untilPayment(app, payment.id, { status: 'PAID' });
    const { webhookEvents } = dataOf(
      await app.graphql(
        `query ($id: ID!) { webhookEvents(filter: { paymentIntentId: $id }) {
          edges { node { provider proof status outcome payload } } } }`,
        { id: payment.id },
        app.operatorToken,
      ),
    );
    expect(webhookEvents.edges).toMatchObject([
      { node: { provider: weak.provider, proof: weak.proof, status: 'APPLIED' } },
    ]);
    expect(webhookEvents.edges[0].node.payload).not.toContain(MASTER_KEY_HASH);
  });

  it('that lies changes nothing', async () => {
    const payment = await opened(weak.way);
    const asked = weak.asked();
    expect(await send(weak, weak.paid(payment))).toBe(200);
    await untilEvents(payment.id, [{ status: 'APPLIED', outcome: 'nothing new' }]);
    expect(weak.asked()).toBe(asked + 1);
    expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PENDING', version: 1, movements: [] });
  });

  it('that lies about the amount changes nothing of it', async () => {
    const payment = await opened(weak.way);
    weak.pause();
    weak.approve(payment);
    expect(await send(weak, weak.paid(payment, 1))).toBe(200);
    await untilPayment(app, payment.id, { status: 'PAID', capturedAmount: AMOUNT });
  });

  it('that lied before the truth came does not hide the truth, of which is asked a few seconds later', async () => {
    const payment = await opened(weak.way);
    await send(weak, weak.paid(payment));
    await untilEvents(payment.id, [{ status: 'APPLIED', outcome: 'nothing new' }]);
    weak.approve(payment);
    await untilPayment(app, payment.id, { status: 'PAID', capturedAmount: AMOUNT });
  });

  it('that comes a hundred times is asked about once in five seconds', async () => {
    const payment = await opened(weak.way);
    const asked = weak.asked();
    const notification = weak.paid(payment);
    const begun = performance.now();
    const statuses = await Promise.all(Array.from({ length: 100 }, () => send(weak, notification)));
    expect(new Set(statuses)).toEqual(new Set([200]));
    const allowed = 1 + Math.floor((performance.now() - begun) / 5_000);
    await untilEvents(payment.id, [{ outcome: expect.stringMatching(/nothing new|a hint/) }]);
    expect(weak.asked() - asked).toBeGreaterThanOrEqual(1);
    expect(weak.asked() - asked).toBeLessThanOrEqual(allowed);
    await retryNow();
    await untilEvents(payment.id, [{ status: 'APPLIED' }]);
    expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PENDING', version: 1 });
  });

  it('that comes while the provider doesn’t answer waits, is tried again, and is healed', async () => {
    const payment = await opened(weak.way);
    weak.failToAnswer(3);
    weak.approve(payment);
    await eventually(async () => {
      const [row] = await app.dataSource.query(
        `SELECT status, tries, outcome FROM webhook_event WHERE provider = $1 ORDER BY received_at DESC LIMIT 1`,
        [weak.provider],
      );
      expect(row).toEqual({
        status: 'WAITING',
        tries: 1,
        outcome: expect.stringContaining('a hint, and the provider did not say'),
      });
    });
    expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PENDING', movements: [] });
    await untilPayment(app, payment.id, { status: 'PAID', capturedAmount: AMOUNT });
    await untilEvents(payment.id, [{ status: 'APPLIED', tries: 2 }]);
  });

  it.each([
    ['was cancelled', (payment: Opened) => cancelPayment(app, payment.id, payment.token)],
    [
      'has expired',
      async (payment: Opened) => {
        await expireNow(app, payment.id);
        await untilPayment(app, payment.id, { status: 'EXPIRED' });
      },
    ],
  ])('about a payment that %s is asked about all the same', async (_, end) => {
    const payment = await opened(weak.way);
    await end(payment);
    weak.approve(payment);
    await untilPayment(app, payment.id, { status: 'PAID', order: { status: 'CONFIRMED' } });
  });

  it('about an attempt that we have given up is asked about all the same', async () => {
    const payment = await opened(weak.way);
    await app.dataSource.query(
      `UPDATE payment_attempt SET status = 'FAILED', failure_code = 'NEVER_ACCEPTED'
       WHERE intent_id = (SELECT id FROM payment_intent WHERE reference = $1)`,
      [payment.id],
    );
    weak.approve(payment);
    await untilPayment(app, payment.id, { status: 'PAID', attempts: [{ status: 'SUCCEEDED' }] });
  });

  it('may be replayed: a dry run asks, says what would change, and changes nothing', async () => {
    const payment = await opened(weak.way);
    await send(weak, weak.paid(payment));
    const [event] = await untilEvents(payment.id, [{ status: 'APPLIED' }]);
    weak.pause();
    weak.approve(payment);
    const replay = async (dryRun: boolean) =>
      dataOf(
        await app.graphql(
          `mutation ($id: ID!, $dryRun: Boolean!) { replayWebhookEvent(id: $id, dryRun: $dryRun) {
            applied dryRun outcome changes { what before after } } }`,
          { id: event!.id, dryRun },
          app.operatorToken,
        ),
      ).replayWebhookEvent;
    const before = [await booksOf(app, payment.id), await app.dataSource.manager.count(AuditEntry)];
    const asked = weak.asked();

    const foreseen = await replay(true);

    expect(foreseen).toMatchObject({
      applied: true,
      dryRun: true,
      outcome: 'PENDING → PAID',
      changes: expect.arrayContaining([{ what: 'payment status', before: 'PENDING', after: 'PAID' }]),
    });
    expect(weak.asked()).toBe(asked + 1);
    expect([await booksOf(app, payment.id), await app.dataSource.manager.count(AuditEntry)]).toEqual(before);

    expect(await replay(false)).toMatchObject({ applied: true, outcome: 'PENDING → PAID' });
    expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PAID', captured: AMOUNT });
  });

  it('of a decline is asked about, too', async () => {
    const payment = await opened(weak.way);
    const asked = weak.asked();
    weak.decline(payment);
    await untilPayment(app, payment.id, { status: 'FAILED' });
    expect(weak.asked()).toBe(asked + 1);
  });
});

describe('what has no proof at all', () => {
  it.each([
    ['a payment', { depositId: randomUUID(), status: 'COMPLETED', amount: '1.00', currency: 'XOF' }],
    [
      'a payment that says it is ours',
      {
        depositId: randomUUID(),
        status: 'COMPLETED',
        amount: '1.00',
        currency: 'XOF',
        metadata: { attempt: 'TXN-00000000000000000000000000-1' },
      },
    ],
    [
      'a refund',
      { refundId: randomUUID(), depositId: randomUUID(), status: 'COMPLETED', amount: '1', currency: 'XOF' },
    ],
    ['a payout', { payoutId: randomUUID(), status: 'COMPLETED' }],
    ['a refund of nothing', { refundId: randomUUID(), status: 'COMPLETED', amount: '1', currency: 'XOF' }],
  ])('and is about nothing of ours is answered 200, and nothing of it is kept: %s', async (_, body) => {
    await quiet();
    const stored = (await storedEvents(app)).length;
    const asked = PAWAPAY.asked();
    expect(await send(PAWAPAY, { body: JSON.stringify(body), contentType: 'application/json' })).toBe(200);
    expect(await storedEvents(app)).toHaveLength(stored);
    expect(PAWAPAY.asked()).toBe(asked);
  });

  it('and names one’s own attempt is one hint, whatever ids and statuses are made up, and hides no truth', async () => {
    const payment = await opened(PAWAPAY.way);
    const asked = PAWAPAY.asked();
    const begun = performance.now();
    const statuses = ['COMPLETED', 'FAILED', 'PROCESSING', 'SOMETHING'];
    for (let round = 0; round < 60; round += 1) {
      const body = JSON.stringify({
        ...(round % 2 === 0
          ? { depositId: randomUUID() }
          : { refundId: randomUUID(), depositId: randomUUID() }),
        status: statuses[round % statuses.length],
        amount: `${round}.00`,
        currency: 'XOF',
        metadata: { attempt: payment.reference },
      });
      expect(await send(PAWAPAY, { body, contentType: 'application/json' })).toBe(200);
    }
    const allowed = 1 + Math.ceil((performance.now() - begun) / 5_000);
    expect(await eventsOrWaiting(payment.reference)).toHaveLength(1);
    expect(PAWAPAY.asked() - asked).toBeLessThanOrEqual(allowed);
    PAWAPAY.approve(payment);
    await retryNow();
    await untilPayment(app, payment.id, { status: 'PAID', capturedAmount: AMOUNT });
  });

  it('and goes on coming is asked about ever more rarely', async () => {
    const payment = await opened(PAWAPAY.way);
    await send(PAWAPAY, PAWAPAY.paid(payment));
    await untilEvents(payment.id, [{ status: 'APPLIED' }]);
    await app.dataSource.query(
      `UPDATE webhook_event SET received_at = processed_at - interval '1 hour' WHERE event_id = $1`,
      [`hint:${payment.reference}`],
    );
    await send(PAWAPAY, PAWAPAY.paid(payment));
    const [{ pause }] = await app.dataSource.query(
      `SELECT extract(epoch FROM next_try_at - processed_at) AS pause FROM webhook_event WHERE event_id = $1`,
      [`hint:${payment.reference}`],
    );
    expect(Number(pause)).toBe(360);
    await retryNow();
    await untilEvents(payment.id, [{ status: 'APPLIED' }]);
  });

  it('is answered 400, and not kept, when it is longer than any that is true', async () => {
    const payment = await opened(PAWAPAY.way);
    const body = JSON.stringify({ ...JSON.parse(PAWAPAY.paid(payment).body), note: 'x'.repeat(20_000) });
    expect(await send(PAWAPAY, { body, contentType: 'application/json' })).toBe(400);
    expect(await eventsOrWaiting(payment.reference)).toEqual([]);
  });

  it('is answered 400 when it is no notification, and nothing of it is kept', async () => {
    const stored = (await storedEvents(app)).length;
    for (const body of ['', 'hello', '{}', '[]', 'null']) {
      expect(await send(PAWAPAY, { body, contentType: 'application/json' })).toBe(400);
    }
    expect(await storedEvents(app)).toHaveLength(stored);
  });
});

describe('PayDunya’s hash', () => {
  it.each(['WRONG', 'MISSING'] as const)(
    'that is %s is answered 401, and nothing is stored',
    async (hash) => {
      const payment = await opened(ON_PAGE_OF_PAYDUNYA);
      const stored = (await storedEvents(app)).length;
      const { sent } = app.paydunya.counts().webhooks;
      const asked = PAYDUNYA.asked();
      app.paydunya.forge(payment.reference, { hash });
      await eventually(() => expect(app.paydunya.counts().webhooks.sent).toBeGreaterThan(sent));
      await app.paydunya.settled();
      const body = PAYDUNYA.paid(payment).body.replace(MASTER_KEY_HASH, '0'.repeat(128));
      expect(await send(PAYDUNYA, { ...PAYDUNYA.paid(payment), body })).toBe(401);
      expect(await storedEvents(app)).toHaveLength(stored);
      expect(PAYDUNYA.asked()).toBe(asked);
      expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PENDING', version: 1 });
    },
  );

  it.each([undefined, 1, 1_000_000])(
    'may be right in a lie of %j francs, which changes nothing',
    async (amount) => {
      const payment = await opened(ON_PAGE_OF_PAYDUNYA);
      app.paydunya.forge(payment.reference, { amount });
      await untilEvents(payment.id, [{ status: 'APPLIED', outcome: 'nothing new' }]);
      expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PENDING', movements: [] });
      app.paydunya.pay(payment.reference);
      await lookNow(app, payment.id);
      await untilPayment(app, payment.id, { status: 'PAID', capturedAmount: AMOUNT });
    },
  );

  it('proves who knows it: what is about nothing of ours is kept as ignored', async () => {
    const nobodys = { reference: '', providerReference: `test_${randomUUID()}` };
    const { body } = PAYDUNYA.paid(nobodys);
    const unmarked = new URLSearchParams({
      data: new URLSearchParams(body).get('data')!.replace(/,"custom_data":\{[^}]*\}/, ''),
    }).toString();
    await quiet();
    const asked = PAYDUNYA.asked();
    expect(await send(PAYDUNYA, { ...PAYDUNYA.paid(nobodys), body: unmarked })).toBe(200);
    const events = await storedEvents(app);
    expect(events.filter(({ payload }) => payload.includes(nobodys.providerReference))).toMatchObject([
      { status: 'IGNORED', outcome: 'not a payment of ours', proof: 'STATIC_SECRET' },
    ]);
    expect(PAYDUNYA.asked()).toBe(asked);
  });
});

describe('where pawaPay signs its callbacks', () => {
  let signing: RunningApp;
  beforeAll(async () => {
    signing = await startTestApp();
  });
  afterAll(() => signing.stop());

  async function openedThere() {
    const { orderId, token } = await orderInFrancs(signing);
    const { id } = await signing.pay(orderId, token, BY_PHONE);
    return { id, reference: `${id}-1`, depositId: await providerReferenceOf(signing, id) };
  }
  const delivered = async (count: number) => {
    await eventually(() => expect(signing.pawapay.counts().webhooks.sent).toBeGreaterThan(count));
    await signing.pawapay.settled();
  };

  it('a signed one is believed, and nobody is asked', async () => {
    const { id, reference } = await openedThere();
    const { getDeposit } = signing.pawapay.counts().requests;
    signing.pawapay.approve(reference);
    await untilPayment(signing, id, { status: 'PAID', capturedAmount: AMOUNT });
    expect(signing.pawapay.counts().requests.getDeposit).toBe(getDeposit);
    const [event] = (await storedEvents(signing)).slice(-1);
    expect(event).toMatchObject({ proof: 'SIGNED', status: 'APPLIED' });
  });

  it.each(['WRONG', 'UNKNOWN_KEY', 'STALE', 'OF_ANOTHER_BODY'] as const)(
    'one whose signature is %s is answered 401, and nothing is stored or asked',
    async (signature) => {
      const { id, depositId } = await openedThere();
      const stored = (await storedEvents(signing)).length;
      const { webhooks, requests } = signing.pawapay.counts();
      signing.pawapay.forge(depositId, { signature });
      await delivered(webhooks.sent);
      const after = signing.pawapay.counts();
      expect(after.webhooks.delivered).toBe(webhooks.delivered);
      expect(after.requests.getDeposit).toBe(requests.getDeposit);
      expect(await storedEvents(signing)).toHaveLength(stored);
      expect(await readWhole(signing, id)).toMatchObject({ status: 'PENDING', version: 1 });
    },
  );

  it('one without a signature is a hint only, and a lie changes nothing; the signed truth is believed after it', async () => {
    const { id, reference, depositId } = await openedThere();
    const { webhooks } = signing.pawapay.counts();
    signing.pawapay.forge(depositId, { signature: 'NONE' });
    await delivered(webhooks.sent);
    await eventually(async () => {
      const events = await storedEvents(signing);
      expect(events.at(-1)).toMatchObject({ proof: 'NONE', status: 'APPLIED', outcome: 'nothing new' });
    });
    expect(await readWhole(signing, id)).toMatchObject({ status: 'PENDING', version: 1, capturedAmount: 0 });
    signing.pawapay.approve(reference);
    await untilPayment(signing, id, { status: 'PAID', capturedAmount: AMOUNT });
  });
});

describe('what can’t be read', () => {
  it.each([
    ['pawaPay, its amount', PAWAPAY, (body: string) => body.replace('15000.00', '15,000')],
    [
      'pawaPay, another envelope',
      PAWAPAY,
      (body: string) => JSON.stringify({ event: body.replaceAll('"', ' ') }),
    ],
    ['PayDunya, its amount', PAYDUNYA, (body: string) => body.replace('15000', '%2215%2C000%22')],
    [
      'PayDunya, without a token',
      PAYDUNYA,
      (body: string) => body.replace(/token%22%3A%22[^%]*%22/, 'token%22%3Anull'),
    ],
  ])('and proves little is a reason to ask, and no more: %s', async (_what, weak, spoil) => {
    const payment = await opened(weak.way);
    weak.pause();
    const { body, contentType } = weak.paid(payment);
    const spoilt = spoil(body);
    expect(spoilt).not.toBe(body);
    weak.approve(payment);
    const asked = weak.asked();
    expect(await send(weak, { body: spoilt, contentType })).toBe(200);
    await untilPayment(app, payment.id, { status: 'PAID' });
    expect(weak.asked()).toBeGreaterThan(asked);
    expect(await booksOf(app, payment.id)).toMatchObject({ captured: AMOUNT, version: 2 });
  });

  it('and whose sender knows PayDunya’s hash, but names nothing, is kept, and no payment is touched', async () => {
    const body = new URLSearchParams({
      data: JSON.stringify({ hash: MASTER_KEY_HASH, status: 'completed' }),
    });
    const sent = { body: body.toString(), contentType: 'application/x-www-form-urlencoded' };
    for (const _ of [1, 2]) expect(await send(PAYDUNYA, sent)).toBe(200);
    const kept = (await storedEvents(app)).filter(({ status }) => status === 'UNREADABLE');
    expect(kept).toMatchObject([{ proof: 'STATIC_SECRET', outcome: 'no token of an invoice' }]);
    expect(kept[0]!.payload).not.toContain(MASTER_KEY_HASH);
  });

  it('in an answer that says paid is noted on the payment, once', async () => {
    const payment = await opened(PAYDUNYA.way);
    PAYDUNYA.pause();
    const answer = {
      response_code: '00',
      mode: 'test',
      status: 'completed',
      invoice: { token: payment.providerReference, total_amount: '15,000' },
      custom_data: { attempt: payment.reference },
    };
    const fault = { kind: 'status', status: 200, body: JSON.stringify(answer) } as const;
    // Each look tries three times.
    app.paydunya.answerNext('confirmInvoice', fault, 3);
    await lookNow(app, payment.id);
    await untilPayment(app, payment.id, { status: 'REVIEW', failureCode: 'ANSWER_UNREADABLE' });
    const { version } = await booksOf(app, payment.id);
    const asked = PAYDUNYA.asked();
    app.paydunya.answerNext('confirmInvoice', fault, 3);
    await lookNow(app, payment.id);
    await eventually(() => expect(PAYDUNYA.asked()).toBeGreaterThanOrEqual(asked + 3));
    expect(await booksOf(app, payment.id)).toMatchObject({ version, captured: 0 });

    PAYDUNYA.approve(payment);
    await lookNow(app, payment.id);
    await untilPayment(app, payment.id, { status: 'PAID' });
  });
});
