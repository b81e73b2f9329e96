import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import {
  pauseMillisecondsAfter,
  PAUSES_MILLISECONDS,
} from '../src/notifications/merchant-webhooks/retry-schedule.js';
import { eventually } from './support/eventually.js';
import {
  idOf,
  NEVER,
  startMerchantReceiver,
  verified,
  type MerchantReceiver,
} from './support/merchant-receiver.js';
import {
  addEndpoint,
  deliveriesTo,
  makeDue,
  sendTest,
  untilTried,
  type TestEndpoint,
} from './support/merchant-webhooks.js';
import { startTestApp, type RunningApp } from './support/running-app.js';

const TIMEOUT_MILLISECONDS = 700;
const DAY = 24 * 60 * 60 * 1_000;

const logged: Record<string, any>[] = [];
let app: RunningApp;
let receiver: MerchantReceiver;
beforeAll(async () => {
  const log = pino({ level: 'warn' }, { write: (line) => void logged.push(JSON.parse(line)) });
  app = await startTestApp({
    log,
    merchantWebhooks: { allowPrivate: true, timeoutMilliseconds: TIMEOUT_MILLISECONDS },
  });
});
beforeEach(async () => {
  logged.length = 0;
  receiver = await startMerchantReceiver();
});
afterEach(async () => {
  await app.dataSource.query('DELETE FROM webhook_endpoint');
  await receiver.stop();
});
afterAll(() => app.stop());

/** One test message to the receiver, tried once. */
async function triedOnce() {
  const endpoint = await addEndpoint(app, receiver.url);
  const id = await sendTest(app, endpoint);
  return untilTried(app, endpoint, id);
}

/** How long after its last try the next one of a delivery comes. */
function pauseOf({ nextTryAt, tries }: any): number {
  const { startedAt, milliseconds } = tries.at(-1);
  return Date.parse(nextTryAt) - Date.parse(startedAt) - milliseconds;
}

/** Fails it at every step of the schedule; gives the pauses after each. */
async function failToTheEnd(endpoint: TestEndpoint, id: string): Promise<number[]> {
  const pauses: number[] = [];
  for (let tries = 1; tries <= PAUSES_MILLISECONDS.length; tries += 1) {
    pauses.push(pauseOf(await untilTried(app, endpoint, id, tries)));
    await makeDue(app, id);
  }
  await untilTried(app, endpoint, id, PAUSES_MILLISECONDS.length + 1);
  return pauses;
}

/** How many endpoints are known to fail. */
async function failing(): Promise<number> {
  const query = 'SELECT count(*) AS count FROM webhook_endpoint WHERE first_failed_at IS NOT NULL';
  const [{ count }] = await app.dataSource.query(query);
  return Number(count);
}

/** How many tries are under way at the endpoint that has most of them. */
async function mostUnderWay(): Promise<number> {
  const [{ most }] = await app.dataSource.query(
    `SELECT coalesce(max(count), 0) AS most FROM (
       SELECT count(*) AS count FROM webhook_delivery WHERE claimed_until > now() GROUP BY endpoint_id) AS claims`,
  );
  return Number(most);
}

async function addBacklog({ id }: TestEndpoint, count: number): Promise<void> {
  await app.dataSource.query(
    `INSERT INTO webhook_delivery (id, message_id, endpoint_id, type, payload, status, next_try_at)
     SELECT gen_random_uuid(), 'msg_' || gen_random_uuid(), e.id, 'webhook.test', '{}', 'PENDING', now()
     FROM webhook_endpoint e, generate_series(1, $2) WHERE e.reference = $1`,
    [id, count],
  );
}

describe('a receiver that', () => {
  test('answers 500 for hours is tried again on the schedule, each time with the same id, until it answers', async () => {
    receiver.answer(500);
    const endpoint = await addEndpoint(app, receiver.url);
    const id = await sendTest(app, endpoint);
    for (let tries = 1; tries <= 6; tries += 1) {
      const delivery = await untilTried(app, endpoint, id, tries);
      const pause = PAUSES_MILLISECONDS[tries - 1]!;
      // The clocks of the two tries and of the database differ by some milliseconds.
      expect(pauseOf(delivery)).toBeGreaterThan(pause - 100);
      expect(pauseOf(delivery)).toBeLessThan(pause * 1.1 + 1_000);
      expect(delivery).toMatchObject({ status: 'PENDING', endpoint: { status: 'ENABLED' } });
      expect(delivery.endpoint.failingSince).not.toBeNull();
      if (tries === 6) receiver.answer(200);
      await makeDue(app, id);
    }
    const arrived = await untilTried(app, endpoint, id, 7);
    expect(arrived).toMatchObject({ status: 'SUCCEEDED', endpoint: { failingSince: null } });
    expect(new Set(receiver.received.map(idOf))).toEqual(new Set([id]));
    for (const message of receiver.received) verified(message, endpoint.secret);
  });

  test('answers 500 to every try of a message is given up for it, and not for the next', async () => {
    receiver.answer(500);
    const endpoint = await addEndpoint(app, receiver.url);
    const id = await sendTest(app, endpoint);
    const pauses = await failToTheEnd(endpoint, id);
    expect(new Set(pauses.map((pause, step) => Math.round(pause / PAUSES_MILLISECONDS[step]!)))).toEqual(
      new Set([1]),
    );
    const [failed] = await deliveriesTo(app, endpoint);
    expect(failed).toMatchObject({ status: 'FAILED', nextTryAt: null, endpoint: { status: 'ENABLED' } });
    expect(logged.map(({ msg }) => msg)).toContainEqual(expect.stringContaining('tried often enough'));
    receiver.answer(200);
    const next = await sendTest(app, endpoint);
    expect(await untilTried(app, endpoint, next)).toMatchObject({ status: 'SUCCEEDED' });
  });

  test('has failed for days is disabled, and operators are alerted', async () => {
    receiver.answer(500);
    const endpoint = await addEndpoint(app, receiver.url);
    const id = await sendTest(app, endpoint);
    await untilTried(app, endpoint, id);
    await app.dataSource.query(
      `UPDATE webhook_endpoint SET first_failed_at = first_failed_at - interval '5 days'`,
    );
    const waiting = await sendTest(app, endpoint);
    await untilTried(app, endpoint, waiting);
    await failToTheEnd(endpoint, id);
    const deliveries = await eventually(
      () => deliveriesTo(app, endpoint),
      (all) => all[0].endpoint.status === 'DISABLED',
    );
    expect(deliveries[0].endpoint).toMatchObject({ disabledReason: 'FAILING' });
    expect(deliveries.map(({ status }) => status)).toEqual(['FAILED', 'FAILED']);
    const alerts = logged.filter(({ level }) => level === pino.levels.values.error);
    expect(alerts).toEqual([expect.objectContaining({ webhookEndpoint: endpoint.id, reason: 'FAILING' })]);
  });

  test('fails a moment after a quiet week is not disabled', async () => {
    receiver.answer(500);
    const endpoint = await addEndpoint(app, receiver.url);
    await app.dataSource.query('UPDATE webhook_endpoint SET first_failed_at = $1', [
      new Date(Date.now() - 7 * DAY),
    ]);
    const id = await sendTest(app, endpoint);
    const delivery = await untilTried(app, endpoint, id);
    await sleep(100);
    expect(delivery).toMatchObject({ status: 'PENDING', endpoint: { status: 'ENABLED' } });
  });

  test('answers 410 is disabled at once, with all that waits for it, and operators are alerted', async () => {
    receiver.answer(500);
    const endpoint = await addEndpoint(app, receiver.url);
    const waiting = await sendTest(app, endpoint);
    await untilTried(app, endpoint, waiting);
    receiver.answer(410);
    const id = await sendTest(app, endpoint);
    const deliveries = await eventually(
      () => deliveriesTo(app, endpoint),
      (all) => all[0].endpoint.status === 'DISABLED',
    );
    expect(deliveries.map((delivery) => [delivery.id, delivery.status])).toEqual([
      [id, 'FAILED'],
      [waiting, 'FAILED'],
    ]);
    expect(deliveries[0].endpoint).toMatchObject({ disabledReason: 'GONE' });
    expect(logged).toContainEqual(
      expect.objectContaining({ level: pino.levels.values.error, reason: 'GONE' }),
    );
    const [act] = await app.dataSource.query(
      `SELECT actor FROM audit_log WHERE subject = $1 AND action = 'webhook_endpoint.disabled'`,
      [endpoint.id],
    );
    expect(act).toEqual({ actor: 'job:merchant-webhooks' });
  });

  test.each([429, 503])('answers %i with Retry-After is left alone until then', async (status) => {
    receiver.answer((response) => response.writeHead(status, { 'retry-after': '120' }).end());
    const endpoint = await addEndpoint(app, receiver.url);
    const id = await sendTest(app, endpoint);
    const delivery = await untilTried(app, endpoint, id);
    expect(Math.round(pauseOf(delivery) / 1_000)).toBe(120);
    await sendTest(app, endpoint);
    await sleep(300);
    expect(receiver.received).toHaveLength(1);
    receiver.answer(200);
    await app.dataSource.query('UPDATE webhook_endpoint SET rest_until = now()');
    await eventually(
      () => receiver.received,
      ({ length }) => length === 2,
    );
  });

  test('asks to be left alone for a year is for a day', async () => {
    const nextYear = new Date(Date.now() + 365 * DAY).toUTCString();
    receiver.answer((response) => response.writeHead(503, { 'retry-after': nextYear }).end());
    const delivery = await triedOnce();
    expect(Math.round(pauseOf(delivery) / DAY)).toBe(1);
    expect(Math.round((Date.parse(delivery.endpoint.restUntil) - Date.now()) / DAY)).toBe(1);
  });

  test('says nothing is given up after its time, and tried again', async () => {
    receiver.answer(NEVER);
    const delivery = await triedOnce();
    expect(delivery).toMatchObject({
      status: 'PENDING',
      tries: [{ answerStatus: null, error: 'There was no answer in time.' }],
    });
    expect(delivery.tries[0].milliseconds).toBeGreaterThanOrEqual(TIMEOUT_MILLISECONDS);
    expect(delivery.tries[0].milliseconds).toBeLessThan(TIMEOUT_MILLISECONDS * 2);
  });

  test.each([
    ['body', 'HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n', 200],
    ['head', 'HTTP/1.1 200 OK\r\nx-slow: ', null],
  ])('answers its %s one byte at a time is given up after its time', async (_part, start, answerStatus) => {
    receiver.answer((response) => {
      const socket = response.socket!;
      socket.write(start);
      const drip = setInterval(() => socket.write('z'), 50);
      socket.on('error', () => undefined).on('close', () => clearInterval(drip));
    });
    const delivery = await triedOnce();
    expect(delivery).toMatchObject({
      status: 'PENDING',
      tries: [{ answerStatus, error: expect.stringContaining('in time') }],
    });
    expect(delivery.tries[0].milliseconds).toBeLessThan(TIMEOUT_MILLISECONDS * 2);
  });

  test('answers 200 with a body that never ends has answered, and its body is not read to the end', async () => {
    let written = 0;
    receiver.answer((response) => {
      const pour = (): void => {
        while (!response.destroyed && response.write('y'.repeat(16_384))) written += 16_384;
      };
      response.on('drain', pour).on('error', () => undefined);
      pour();
    });
    const delivery = await triedOnce();
    expect(delivery).toMatchObject({ status: 'SUCCEEDED', tries: [{ answerStatus: 200, error: null }] });
    expect(delivery.tries[0].answerBody).toBe('y'.repeat(2_048));
    // What fits into the buffers of two sockets is written before the other side hangs up.
    expect(written).toBeLessThan(20_000_000);
  });

  test.each([301, 302, 303, 307, 308])('answers %i is not followed', async (status) => {
    const other = await startMerchantReceiver();
    try {
      receiver.answer((response) => response.writeHead(status, { location: other.url }).end());
      const delivery = await triedOnce();
      expect(delivery).toMatchObject({ status: 'PENDING', tries: [{ answerStatus: status }] });
      expect(other.received).toEqual([]);
    } finally {
      await other.stop();
    }
  });

  test.each([
    ['hangs up', ''],
    ['hangs up in the middle of its answer', 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf'],
    ['speaks no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['switches protocols', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'],
    ['has a head without end', `HTTP/1.1 200 OK\r\nx-long: ${'z'.repeat(100_000)}\r\n\r\n`],
  ])('%s has failed', async (_how, answer) => {
    receiver.answer((response) => void response.socket!.on('error', () => undefined).end(answer));
    const delivery = await triedOnce();
    expect(delivery).toMatchObject({ status: 'PENDING', tries: [{ error: expect.any(String) }] });
    // It is read by the merchant's people: no address of ours, no stack.
    expect(delivery.tries[0].error).not.toMatch(/127\.0\.0\.1|\bat /);
  });

  test('is not there has failed', async () => {
    const endpoint = await addEndpoint(app, 'http://127.0.0.1:9/');
    const delivery = await untilTried(app, endpoint, await sendTest(app, endpoint));
    expect(delivery.tries).toMatchObject([{ answerStatus: null, error: 'Nobody listens at that address.' }]);
  });
});

test('the pauses of the schedule differ, so that what failed together does not come again together', () => {
  const pauses = Array.from({ length: 50 }, () => pauseMillisecondsAfter(4)!);
  const [shortest, longest] = [Math.min(...pauses), Math.max(...pauses)];
  expect(shortest).toBeGreaterThanOrEqual(PAUSES_MILLISECONDS[3]);
  expect(longest).toBeLessThanOrEqual(PAUSES_MILLISECONDS[3] * 1.1);
  expect(longest - shortest).toBeGreaterThan(60_000);
  expect(pauseMillisecondsAfter(PAUSES_MILLISECONDS.length + 1)).toBeNull();
});

describe('slow endpoints', () => {
  test('are sent one message at a time, and delay no other', async () => {
    const healthy = await startMerchantReceiver();
    try {
      receiver.answer(NEVER);
      const slow = [];
      for (let count = 0; count < 40; count += 1) slow.push(await addEndpoint(app, receiver.url));
      const fast = await addEndpoint(app, healthy.url);
      for (const endpoint of slow) await addBacklog(endpoint, 20);
      await eventually(() => receiver.received.length > 128);
      const latencies: number[] = [];
      for (let count = 0; count < 20; count += 1) {
        const sentAt = Date.now();
        const id = await sendTest(app, fast);
        await eventually(() => healthy.received.some((message) => idOf(message) === id), Boolean);
        latencies.push(Date.now() - sentAt);
      }
      // Behind the 800 that hang it would be seconds, for most.
      const ordinary = latencies.sort((one, other) => one - other)[latencies.length / 2];
      expect(ordinary).toBeLessThan(TIMEOUT_MILLISECONDS);
      // At first contact more than one each; once they are known, one each.
      await eventually(failing, (count) => count === slow.length);
      await eventually(mostUnderWay, (most) => most === 1);
      for (let count = 0; count < 20; count += 1) {
        expect(await mostUnderWay()).toBeLessThanOrEqual(1);
        await sleep(50);
      }
    } finally {
      await healthy.stop();
    }
  });

  test('are heard at full width again once they answer', async () => {
    receiver.answer(500);
    const endpoint = await addEndpoint(app, receiver.url);
    await untilTried(app, endpoint, await sendTest(app, endpoint));
    receiver.answer(200);
    await addBacklog(endpoint, 50);
    await eventually(
      () => deliveriesTo(app, endpoint, { status: 'SUCCEEDED' }),
      (deliveries) => deliveries.length === 50,
    );
    expect(receiver.received).toHaveLength(51);
  });
});

test('a server that stops breaks off what hangs, and sends nothing after it; the next one sends it', async () => {
  const hanging = await startTestApp({ merchantWebhooks: { allowPrivate: true } });
  try {
    receiver.answer(NEVER);
    const endpoint = await addEndpoint(hanging, receiver.url);
    const id = await sendTest(hanging, endpoint);
    await eventually(() => receiver.received.length === 1, Boolean);
    const stopsAt = Date.now();
    await hanging.restart(async () => {
      expect(Date.now() - stopsAt).toBeLessThan(9_000);
      await sleep(200);
      expect(receiver.received).toHaveLength(1);
      receiver.answer(200);
    });
    const arrived = await untilTried(hanging, endpoint, id);
    expect(arrived).toMatchObject({ status: 'SUCCEEDED', endpoint: { failingSince: null } });
    expect(receiver.received.map(idOf)).toEqual([id, id]);
  } finally {
    await hanging.stop();
  }
});
