import { AuditEntry } from '../src/audit/audit-entry.js';
import { WebhookEvent } from '../src/webhooks/webhook-event.js';
import { booksOf, storedEvents } from './support/books.js';
import { BANK, newEventId, notify, STRIPE, type OpenPayment } from './support/notifying-provider.js';
import { cancelPayment } from './support/payment-calls.js';
import { codeOf, dataOf, startTestApp, type RunningApp } from './support/running-app.js';
import { expectErrors } from './support/unexpected-errors.js';

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

const LIST = `query ($filter: WebhookEventFilter, $first: Int, $after: String) {
  webhookEvents(filter: $filter, first: $first, after: $after) {
    edges {
      cursor
      node {
        id provider eventId type status outcome tries nextTryAt receivedAt processedAt payload paymentIntent { id }
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}`;

const REPLAY = `mutation ($id: ID!, $dryRun: Boolean) {
  replayWebhookEvent(id: $id, dryRun: $dryRun) {
    webhookEvent { id status outcome tries nextTryAt paymentIntent { id status } }
    dryRun applied outcome changes { what before after }
  }
}`;

async function list(variables: object, token = app.operatorToken): Promise<any> {
  return dataOf(await app.graphql(LIST, variables, token)).webhookEvents;
}

async function eventIds(filter: object): Promise<string[]> {
  const { edges } = await list({ filter });
  return edges.map(({ node }: { node: { eventId: string } }) => node.eventId);
}

async function replay(id: string, dryRun?: boolean): Promise<any> {
  return dataOf(await app.graphql(REPLAY, { id, dryRun }, app.operatorToken)).replayWebhookEvent;
}

/** A notification that says "paid", of a payment that it was not applied to, parked since. */
async function parked(payment: OpenPayment): Promise<WebhookEvent> {
  const eventId = newEventId();
  await breakBooks();
  await notify(app, BANK, BANK.paid(payment, { eventId }));
  await app.dataSource.query(
    `UPDATE webhook_event SET status = 'PARKED', tries = 34, next_try_at = NULL WHERE event_id = $1`,
    [eventId],
  );
  await mendBooks();
  const [event] = await storedEvents(app, eventId);
  return event!;
}

async function breakBooks(): Promise<void> {
  expectErrors(/a fault of ours/);
  await app.dataSource.query(`
    CREATE FUNCTION refuse_money() RETURNS trigger LANGUAGE plpgsql
      AS $$ BEGIN RAISE EXCEPTION 'a fault of ours'; END $$;
    CREATE TRIGGER refuse_money BEFORE INSERT ON movement FOR EACH ROW EXECUTE FUNCTION refuse_money()`);
}

async function mendBooks(): Promise<void> {
  await app.dataSource.query('DROP TRIGGER refuse_money ON movement; DROP FUNCTION refuse_money()');
}

function replaysOf(subject: string): Promise<AuditEntry[]> {
  return app.dataSource.manager.findBy(AuditEntry, { subject, action: 'webhook.replayed' });
}

/** Everything that a replay could change. */
async function everything(payment: OpenPayment): Promise<unknown> {
  const versions = 'SELECT id, version FROM orders ORDER BY id';
  return [
    await booksOf(app, payment.id),
    await storedEvents(app),
    await app.dataSource.query(versions),
    await app.dataSource.manager.count(AuditEntry),
    await app.dataSource.query('SELECT id, stock, reserved FROM product ORDER BY id'),
  ];
}

describe('webhookEvents', () => {
  test('lists what providers have told, the newest first, page by page, and none twice', async () => {
    const sent = Array.from({ length: 7 }, newEventId);
    for (const eventId of sent) await notify(app, STRIPE, STRIPE.ofAnotherType(eventId));
    // In one millisecond, as in a busy hour.
    await app.dataSource.query('UPDATE webhook_event SET received_at = $2 WHERE event_id = ANY($1)', [
      sent.slice(0, 4),
      new Date('2030-01-01'),
    ]);

    const all = (await list({})).edges.map(({ node }: any) => node.id);
    const read: string[] = [];
    let after: string | null = null;
    do {
      const page: any = await list({ first: 3, after });
      expect(page.edges.length).toBeLessThanOrEqual(3);
      expect(page.pageInfo.endCursor).toBe(page.edges.at(-1).cursor);
      read.push(...page.edges.map(({ node }: any) => node.id));
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
    } while (after);

    expect(read).toEqual(all);
    expect(new Set(all).size).toBe(all.length);
    const stored = await storedEvents(app);
    expect(all).toHaveLength(stored.length);
    const times = all.map((id: string) => stored.find((event) => event.id === id)!.receivedAt.getTime());
    expect(times).toEqual([...times].sort((one, other) => other - one));
  });

  test('shows all that an operator needs, with the payment that it is about', async () => {
    const payment = await BANK.open(app);
    const eventId = newEventId();
    const body = BANK.paid(payment, { eventId });
    await notify(app, BANK, body);

    const { edges } = await list({ filter: { eventId } }, app.apiKey);

    expect(edges).toMatchObject([
      {
        node: {
          provider: 'bank-x',
          eventId,
          type: 'transfer.credited',
          status: 'APPLIED',
          outcome: 'PENDING → PAID',
          tries: 1,
          nextTryAt: null,
          payload: body,
          paymentIntent: { id: payment.id },
        },
      },
    ]);
  });

  test('is narrowed by provider, status, type, payment and what the payload says', async () => {
    const payment = await BANK.open(app);
    const [paid, other] = [newEventId(), newEventId()];
    await notify(app, BANK, BANK.paid(payment, { eventId: paid, movement: 'tr_100%_Sure' }));
    await notify(app, BANK, BANK.ofAnotherType(other));

    expect(await eventIds({ paymentIntentId: payment.id })).toEqual([paid]);
    expect(await eventIds({ text: 'TR_100%_sure' })).toEqual([paid]);
    expect(await eventIds({ text: 'tr_100__Sure' })).toEqual([]);
    expect(await eventIds({ provider: 'bank-x', status: 'IGNORED' })).toEqual([other]);
    expect(await eventIds({ type: 'account.statement_ready' })).toEqual([other]);
    expect(await eventIds({ type: 'account.statement_ready', provider: 'stripe' })).toEqual([]);
    expect(await eventIds({ paymentIntentId: 'TXN-nowhere' })).toEqual([]);
  });

  test.each([
    [{ first: 0 }, 'first'],
    [{ first: 201 }, 'first'],
    [{ after: 'nonsense' }, 'after'],
    [{ after: '00000000-0000-7000-8000-000000000000' }, 'after'],
    [{ filter: { text: 'ab' } }, 'filter.text'],
  ])('says what is wrong with %j', async (variables, path) => {
    const { errors } = await app.graphql(LIST, variables, app.operatorToken);
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', fields: [{ path }] });
  });
});

describe('replayWebhookEvent', () => {
  test('applies a parked notification, in the operator’s name', async () => {
    const payment = await BANK.open(app);
    const event = await parked(payment);

    const { webhookEvent, ...replayed } = await replay(event.id);

    expect(replayed).toMatchObject({ dryRun: false, applied: true, outcome: 'PENDING → PAID' });
    expect(replayed.changes).toEqual(
      expect.arrayContaining([
        { what: 'payment status', before: 'PENDING', after: 'PAID' },
        { what: 'payment capturedAmount', before: '0', after: '1500' },
        { what: 'order status', before: 'OPEN', after: 'CONFIRMED' },
        { what: 'attempt 1 status', before: 'PENDING', after: 'SUCCEEDED' },
        { what: 'movement', before: null, after: `CAPTURE 1500 EUR tr_${payment.id}` },
        { what: 'notification status', before: 'PARKED', after: 'APPLIED' },
      ]),
    );
    expect(webhookEvent).toMatchObject({
      status: 'APPLIED',
      tries: 35,
      paymentIntent: { id: payment.id, status: 'PAID' },
    });
    expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PAID', orderStatus: 'CONFIRMED' });
    const log = await app.dataSource.manager.findBy(AuditEntry, { subject: payment.id });
    const byOlga = log.filter(({ actor }) => actor === 'operator:olga').map(({ action }) => action);
    expect(byOlga.sort()).toEqual(['money.moved', 'payment.status', 'webhook.replayed']);
  });

  test('in a dry run says the same, and changes nothing', async () => {
    const payment = await BANK.open(app);
    const event = await parked(payment);
    const before = await everything(payment);

    const { webhookEvent, ...foreseen } = await replay(event.id, true);

    expect(await everything(payment)).toEqual(before);
    expect(webhookEvent).toMatchObject({ status: 'PARKED', tries: 34 });
    const { webhookEvent: _, ...done } = await replay(event.id);
    expect({ ...foreseen, dryRun: false }).toEqual(done);
    expect(foreseen).toMatchObject({ dryRun: true, applied: true });
  });

  test('in a dry run foresees that the pieces of late money are sold', async () => {
    const payment = await BANK.open(app, { stock: 1 });
    const event = await parked(payment);
    dataOf(await cancelPayment(app, payment.id, payment.token));
    await app.dataSource.query('UPDATE product SET stock = 0 WHERE sku = $1', [payment.sku]);

    const foreseen = await replay(event.id, true);
    const done = await replay(event.id);

    expect(foreseen).toMatchObject({ outcome: expect.stringContaining('PAID_WITHOUT_STOCK') });
    expect({ ...foreseen, dryRun: false, webhookEvent: null }).toEqual({ ...done, webhookEvent: null });
    expect(await booksOf(app, payment.id)).toMatchObject({ status: 'REVIEW' });
  });

  test('of one that is applied changes nothing, and stays in the audit log', async () => {
    const payment = await BANK.open(app);
    const eventId = newEventId();
    await notify(app, BANK, BANK.paid(payment, { eventId }));
    const books = await booksOf(app, payment.id);
    const [event] = await storedEvents(app, eventId);

    expect(await replay(event!.id, true)).toMatchObject({
      applied: true,
      outcome: 'nothing new',
      changes: [],
    });
    expect(await replay(event!.id)).toMatchObject({ applied: true, outcome: 'nothing new', changes: [] });

    expect(await booksOf(app, payment.id)).toEqual(books);
    expect(await replaysOf(payment.id)).toMatchObject([
      {
        actor: 'operator:olga',
        before: { eventId, outcome: 'PENDING → PAID' },
        after: { eventId, outcome: 'nothing new' },
      },
    ]);
  });

  test('many times at once counts the money once', async () => {
    const payment = await BANK.open(app);
    const event = await parked(payment);
    await Promise.all(Array.from({ length: 6 }, () => replay(event.id)));
    expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PAID', captured: 1_500 });
    expect(await replaysOf(payment.id)).toHaveLength(6);
  });

  test('of one that has nothing for us says so, and stays in the audit log too', async () => {
    const eventId = newEventId();
    await notify(app, BANK, BANK.ofAnotherType(eventId));
    const [event] = await storedEvents(app, eventId);

    const outcome = 'read again, it is ignored: it tells of no payment and of no refund';
    expect(await replay(event!.id, true)).toMatchObject({ applied: false, outcome, changes: [] });
    const many = await Promise.all(Array.from({ length: 5 }, () => replay(event!.id)));

    for (const one of many) expect(one).toMatchObject({ applied: false, outcome });
    expect(await storedEvents(app, eventId)).toEqual([event]);
    const log = await replaysOf(`webhook-event:${event!.id}`);
    expect(log.map(({ position }) => position).sort()).toEqual([1, 2, 3, 4, 5]);
    expect(log[0]).toMatchObject({ actor: 'operator:olga', reason: outcome });
  });

  test('that a fault of ours stops says so, and leaves it as it was', async () => {
    const payment = await BANK.open(app);
    const event = await parked(payment);
    await breakBooks();
    const stopped = await replay(event.id);
    await mendBooks();
    expect(stopped).toMatchObject({
      applied: false,
      outcome: expect.stringContaining('a fault of ours'),
      webhookEvent: { status: 'PARKED' },
    });
    expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PENDING', captured: 0 });
    expect(await replay(event.id)).toMatchObject({ applied: true });
  });

  test.each(['nonsense', '00000000-0000-7000-8000-000000000000'])('of %s is NOT_FOUND', async (id) => {
    expect(codeOf(await app.graphql(REPLAY, { id }, app.operatorToken))).toBe('NOT_FOUND');
  });
});

describe('the inbox', () => {
  test('is closed to payers and to strangers', async () => {
    const { token } = await BANK.open(app);
    const id = '00000000-0000-7000-8000-000000000000';
    for (const query of ['{ webhookEvents { pageInfo { hasNextPage } } }', REPLAY]) {
      expect(codeOf(await app.graphql(query, { id }, token))).toBe('FORBIDDEN');
      expect(codeOf(await app.graphql(query, { id }))).toBe('UNAUTHENTICATED');
    }
  });
});
