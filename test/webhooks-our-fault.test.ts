import { pino } from 'pino';
import { MAX_TRIES } from '../src/webhooks/retry-schedule.js';
import { startTestApp, type RunningApp } from './support/running-app.js';
import { booksOf, storedEvents, untilEvent } from './support/books.js';
import { BANK, newEventId, notify, STRIPE } from './support/notifying-provider.js';

interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly event?: string;
}

const ERROR = 50;
const logged: LogLine[] = [];
let app: RunningApp;
beforeAll(async () => {
  const log = pino({ level: 'warn' }, { write: (line) => logged.push(JSON.parse(line) as LogLine) });
  app = await startTestApp({ log });
});
afterAll(() => app.stop());

/** From now on the books refuse this money, as a mistake in a migration might. */
async function breakBooks(): Promise<void> {
  await app.dataSource.query(`
    CREATE FUNCTION refuse_money() RETURNS trigger LANGUAGE plpgsql
      AS $$ BEGIN RAISE EXCEPTION 'a fault of ours'; END $$;
    CREATE TRIGGER refuse_money BEFORE INSERT ON movement FOR EACH ROW EXECUTE FUNCTION refuse_money()`);
}

async function mendBooks(): Promise<void> {
  await app.dataSource.query('DROP TRIGGER refuse_money ON movement; DROP FUNCTION refuse_money()');
}

function tryNow(eventId: string, triesSoFar: number): Promise<unknown> {
  return app.dataSource.query(
    'UPDATE webhook_event SET tries = $2, next_try_at = now() WHERE event_id = $1',
    [eventId, triesSoFar],
  );
}

describe.each([STRIPE, BANK])('a notification of $name that a fault of ours stops', (provider) => {
  beforeEach(breakBooks);

  test('is answered 200, kept, and applied when the fault is gone', async () => {
    const payment = await provider.open(app, { stock: 5 });
    const eventId = newEventId();
    const body = provider.paid(payment, { eventId });

    expect(await notify(app, provider, body)).toBe(200);
    expect(await storedEvents(app, eventId)).toMatchObject([
      { status: 'WAITING', tries: 1, outcome: expect.stringContaining('a fault of ours'), payload: body },
    ]);
    expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PENDING', version: 1, captured: 0 });
    expect(logged).toContainEqual(
      expect.objectContaining({ level: ERROR, event: eventId, msg: 'could not apply a notification' }),
    );
    expect(await notify(app, provider, body)).toBe(200);
    await mendBooks();

    expect(await untilEvent(app, eventId, 'APPLIED')).toMatchObject({ nextTryAt: null });
    expect(await booksOf(app, payment.id)).toMatchObject({
      status: 'PAID',
      version: 2,
      orderStatus: 'CONFIRMED',
      captured: 1_500,
      reserved: 0,
    });
  });

  test('waits longer after each try, and is parked after the last, with an error in the log', async () => {
    const payment = await provider.open(app);
    const eventId = newEventId();
    await notify(app, provider, provider.paid(payment, { eventId }));

    await tryNow(eventId, MAX_TRIES - 1);

    const parked = await untilEvent(app, eventId, 'PARKED');
    expect(parked).toMatchObject({ tries: MAX_TRIES, nextTryAt: null, processedAt: null });
    expect(logged).toContainEqual(
      expect.objectContaining({
        level: ERROR,
        event: eventId,
        msg: expect.stringContaining('parked'),
      }),
    );
    await mendBooks();
    expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PENDING', captured: 0 });
    expect(await storedEvents(app, eventId)).toEqual([parked]);
  });
});

test('one broken notification does not hold up the others that wait', async () => {
  const [broken, good] = [await BANK.open(app), await BANK.open(app)];
  const ids = [newEventId(), newEventId()] as const;
  await breakBooks();
  await notify(app, BANK, BANK.paid(broken, { eventId: ids[0] }));
  await notify(app, BANK, BANK.paid(good, { eventId: ids[1] }));
  await mendBooks();
  // What was kept can't be read any more: as if it had been written by a later release.
  await app.dataSource.query(`UPDATE webhook_event SET payload = payload || '}' WHERE event_id = $1`, [
    ids[0],
  ]);
  await untilEvent(app, ids[1], 'APPLIED');
  expect(await booksOf(app, good.id)).toMatchObject({ status: 'PAID' });
  expect(await booksOf(app, broken.id)).toMatchObject({ status: 'PENDING' });
});
