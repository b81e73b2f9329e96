import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import PostalMime from 'postal-mime';
import { fileDelivery } from '../src/notifications/email/file-delivery.js';
import type { EmailSettings } from '../src/notifications/email/email-dependencies.js';
import { MAX_TRIES, pauseMillisecondsAfter } from '../src/notifications/email/retry-schedule.js';
import { untilStatus } from './support/books.js';
import { emailSettings } from './support/email-settings.js';
import { eventually } from './support/eventually.js';
import { startMailServer, type MailServer } from './support/mail-server.js';
import {
  bankPaymentOf,
  emailsOf,
  orderOf,
  type EmailRow,
  type MailedOrder,
} from './support/mailed-orders.js';
import { startTestApp, type RunningApp } from './support/running-app.js';

const DAY = 24 * 60 * 60 * 1_000;

let mails: MailServer;
let app: RunningApp;
let logged: Record<string, unknown>[];
const closing: EmailSettings[] = [];

async function startWith(settings: Partial<EmailSettings> = {}, smtpUrl = mails.url): Promise<EmailSettings> {
  logged = [];
  const log = pino({ level: 'info' }, { write: (line: string) => void logged.push(JSON.parse(line)) });
  const emails = await emailSettings(smtpUrl, settings);
  closing.push(emails);
  app = await startTestApp({ emails, log });
  return emails;
}

beforeEach(async () => {
  mails = await startMailServer();
});
afterEach(async () => {
  await app.stop();
  for (const { delivery } of closing.splice(0)) delivery.close();
  await mails.stop();
});

interface Paid extends MailedOrder {
  readonly id: string;
}

/** Its confirmation is on its way. */
async function paidOrder(): Promise<Paid> {
  const order = await orderOf(app, { locale: 'en' });
  const id = await bankPaymentOf(app, order);
  app.bank.pay(`${id}-1`);
  await untilStatus(app, id, 'PAID');
  return { ...order, id };
}

const untilEmail = (id: string, isThere: (email: EmailRow) => boolean): Promise<EmailRow> =>
  eventually(
    async () => (await emailsOf(app, id))[0]!,
    (email) => email !== undefined && isThere(email),
  );
const untilSent = (id: string) => untilEmail(id, ({ status }) => status === 'SENT');
const alerts = () => logged.filter(({ level }) => level === 50);
const warnings = () => logged.filter(({ level }) => level === 40);

describe('a mail server', () => {
  test('that is down: nothing of the payment waits for it, and the e-mail goes out when it is back', async () => {
    await startWith();
    await mails.stop();
    const { id, email } = await paidOrder();
    expect(await untilEmail(id, ({ tries }) => tries >= 2)).toMatchObject({
      status: 'QUEUED',
      lastError: expect.stringContaining('ECONNREFUSED'),
    });
    await mails.start();
    await untilSent(id);
    expect(await mails.until(1, email)).toHaveLength(1);
    expect(alerts()).toEqual([]);
  });

  test.each([
    ['the recipient', 'RCPT', 450],
    ['the recipient (greylisting)', 'RCPT', 451],
    ['the message', 'DATA', 452],
    ['the sender', 'MAIL', 421],
  ] as const)(
    'that does not take %s for now: it is tried again, with the same Message-ID',
    async (_what, at, code) => {
      await startWith();
      mails.refuse({ at, code, text: 'come back later' });
      const { id, email } = await paidOrder();
      const waiting = await untilEmail(id, ({ tries }) => tries >= 2);
      expect(waiting).toMatchObject({
        status: 'QUEUED',
        lastError: expect.stringContaining('come back later'),
      });
      mails.refuse(null);
      await untilSent(id);
      const received = await mails.until(1, email);
      expect(received.map(({ messageId }) => messageId)).toEqual([`<${waiting.id}.1@shop.example>`]);
    },
  );

  test.each([
    ['the recipient', 'RCPT', 550],
    ['the message', 'DATA', 554],
  ] as const)(
    'that refuses %s for good: it is tried once, and somebody is alerted',
    async (_what, at, code) => {
      await startWith();
      mails.refuse({ at, code, text: 'no such user somebody@customer.example' });
      const { id } = await paidOrder();
      expect(await untilEmail(id, ({ status }) => status === 'FAILED')).toMatchObject({
        tries: 1,
        lastError: expect.stringContaining('no such user'),
      });
      expect(alerts()).toEqual([
        expect.objectContaining({
          template: 'ORDER_CONFIRMED',
          msg: expect.stringContaining('a person has to look'),
        }),
      ]);
      expect(JSON.stringify(logged)).not.toContain('@customer.example');
      expect(await untilStatus(app, id, 'PAID')).toMatchObject({ orderStatus: 'CONFIRMED' });

      mails.refuse(null);
      const [{ id: emailId } = { id: '' }] = await emailsOf(app, id);
      await app.graphql(`mutation { resendEmail(id: "${emailId}") { id } }`, {}, app.apiKey);
      expect(await untilSent(id)).toMatchObject({ edition: 1, tries: 1, lastError: null });
    },
  );

  test('that refuses our sender: that is ours to put right, and the e-mail waits for it', async () => {
    await startWith();
    mails.refuse({ at: 'MAIL', code: 550, text: 'sender not allowed' });
    const { id, email } = await paidOrder();
    expect(await untilEmail(id, ({ tries }) => tries >= 2)).toMatchObject({ status: 'QUEUED' });
    mails.refuse(null);
    await mails.until(1, email);
  });

  test('that takes too long to answer is not waited for, and what it had taken has the same Message-ID', async () => {
    await startWith({ timing: { tryMilliseconds: 300, firstPauseMilliseconds: 100, sweepMilliseconds: 50 } });
    mails.pause(2_000);
    const { id, email } = await paidOrder();
    await untilEmail(id, ({ tries }) => tries >= 2);
    mails.pause(0);
    await untilSent(id);
    const received = await mails.until(2, email);
    expect(new Set(received.map(({ messageId }) => messageId)).size).toBe(1);
    expect(warnings().length).toBeGreaterThan(0);
  });

  test('that refuses our password: the e-mail waits until it is put right, and the password is in no log', async () => {
    const tls = await startMailServer({ authOptional: false, disabledCommands: [] });
    try {
      const url = `smtp://shop:s3cret-password@127.0.0.1:${tls.port}?tls.rejectUnauthorized=false`;
      await startWith({}, url);
      tls.refuse({ at: 'AUTH', code: 535, text: 'wrong password' });
      const { id, email } = await paidOrder();
      expect(await untilEmail(id, ({ tries }) => tries >= 2)).toMatchObject({
        status: 'QUEUED',
        lastError: expect.stringContaining('wrong password'),
      });
      tls.refuse(null);
      expect(await tls.until(1, email)).toHaveLength(1);
      await untilSent(id);
      expect(JSON.stringify(logged)).not.toContain('s3cret-password');
    } finally {
      closing.splice(0).forEach(({ delivery }) => delivery.close());
      await tls.stop();
    }
  });

  test('without TLS is not told the password', async () => {
    const url = `smtp://shop:s3cret-password@127.0.0.1:${mails.port}`;
    const emails = await startWith({}, url);
    const { id } = await paidOrder();
    expect(await untilEmail(id, ({ tries }) => tries >= 2)).toMatchObject({
      status: 'QUEUED',
      lastError: expect.stringMatching(/STARTTLS/),
    });
    expect(mails.tries).toBe(0);
    emails.delivery.close();
  });

  test('whose certificate nobody has signed is not trusted', async () => {
    const tls = await startMailServer({ secure: true });
    try {
      await startWith({}, `smtps://127.0.0.1:${tls.port}`);
      const { id } = await paidOrder();
      expect(await untilEmail(id, ({ tries }) => tries >= 2)).toMatchObject({
        status: 'QUEUED',
        lastError: expect.stringMatching(/certificate/i),
      });
      expect(tls.tries).toBe(0);
    } finally {
      await tls.stop();
    }
  });
});

describe('once per transition', () => {
  test('with two nodes that tell and send at the same time', async () => {
    const emails = await startWith();
    const other = await startTestAppBeside(emails);
    try {
      const paid = await Promise.all(Array.from({ length: 8 }, () => paidOrder()));
      for (const { id } of paid) await untilSent(id);
      for (const { email, id } of paid) {
        expect(await mails.until(1, email)).toHaveLength(1);
        expect(await emailsOf(app, id)).toMatchObject([{ tries: 1 }]);
      }
    } finally {
      await other.close();
    }
  });

  test('however often its job is run', async () => {
    await startWith();
    mails.pause(200);
    const { id, email } = await paidOrder();
    const [row] = await eventually(
      () => emailsOf(app, id),
      (found) => found.length === 1,
    );
    for (let time = 0; time < 5; time += 1) {
      await app.dataSource.query(`SELECT graphile_worker.add_job('send_email', $1)`, [{ emailId: row!.id }]);
    }
    await untilSent(id);
    await eventually(async () =>
      expect(await app.dataSource.query('SELECT 1 FROM graphile_worker._private_jobs')).toEqual([]),
    );
    expect(await mails.until(1, email)).toHaveLength(1);
    expect(await emailsOf(app, id)).toMatchObject([{ tries: 1, status: 'SENT' }]);
  });

  test('and not never: whoever was killed in mid-work is followed by another, though the job stays locked', async () => {
    await startWith();
    await mails.stop();
    const { id, email } = await paidOrder();
    await untilEmail(id, ({ tries }) => tries >= 1);
    await app.restart(async () => {
      // As after a power cut: claimed, and its job locked by a worker that is no more.
      await app.dataSource.query(
        `UPDATE email_message SET next_try_at = now(), claimed_until = now() + interval '2 seconds'`,
      );
      await app.dataSource.query(
        `UPDATE graphile_worker._private_jobs SET locked_at = now(), locked_by = 'worker-that-was-killed', attempts = 1`,
      );
      await mails.start();
    });
    await untilSent(id);
    expect(await mails.until(1, email)).toHaveLength(1);
  }, 20_000);

  test('a request for payment is not sent any more once the order is paid', async () => {
    await startWith();
    await mails.stop();
    const order = await orderOf(app);
    const failed = await bankPaymentOf(app, order);
    app.bank.decline(`${failed}-1`);
    await untilEmail(failed, ({ tries }) => tries >= 1);
    const second = await bankPaymentOf(app, order);
    app.bank.pay(`${second}-1`);
    await untilStatus(app, second, 'PAID');
    await mails.start();
    await untilSent(second);
    await untilEmail(failed, ({ status }) => status === 'DROPPED');
    expect((await mails.until(1, order.email)).map(({ subject }) => subject)).toEqual([
      expect.stringContaining('est confirmée'),
    ]);
  });
});

/** A second server on the same database. */
async function startTestAppBeside(emails: EmailSettings) {
  const { startApp } = await import('../src/app.js');
  return startApp({
    dataSource: app.dataSource,
    providers: [],
    secret: 'a secret for tests, long enough to be one',
    allowedOrigins: 'LOCALHOST',
    introspection: false,
    reservationMilliseconds: 60_000,
    orderTokenMilliseconds: 60_000,
    host: '127.0.0.1',
    port: 0,
    emails,
    log: pino({ level: 'silent' }),
  });
}

test('what waits is tried for about three days, and then given up', async () => {
  await startWith();
  const pauses = Array.from({ length: MAX_TRIES - 1 }, (_, index) => pauseMillisecondsAfter(index + 1));
  const total = pauses.reduce((sum, pause) => sum + pause, 0);
  expect(total).toBeGreaterThan(2.9 * DAY);
  expect(total).toBeLessThan(3.1 * DAY);
  mails.refuse({ at: 'RCPT', code: 450, text: 'busy' });
  const { id } = await paidOrder();
  await untilEmail(id, ({ tries }) => tries >= 1);
  // Between two tries.
  const sql = 'UPDATE email_message SET tries = $1 WHERE claimed_until IS NULL';
  await eventually(
    () => app.dataSource.query<[unknown[], number]>(sql, [MAX_TRIES - 1]),
    ([, count]) => count === 1,
  );
  await untilEmail(id, ({ status, tries }) => status === 'FAILED' && tries === MAX_TRIES);
  expect(alerts()).toHaveLength(1);
});

describe('without a mail server', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'quittance-mails-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test('e-mails are written into files that a mail program opens, and the log says where', async () => {
    const mailFolder = join(folder, 'mails');
    const files = fileDelivery(
      mailFolder,
      pino({ level: 'info' }, { write: (line: string) => void logged.push(JSON.parse(line)) }),
    );
    await startWith({ delivery: files });
    const { id, email } = await paidOrder();
    const { id: emailId } = await untilSent(id);
    expect(await readdir(mailFolder)).toEqual([`${emailId}.1.eml`]);
    const path = join(mailFolder, `${emailId}.1.eml`);
    const mail = await PostalMime.parse(await readFile(path));
    expect(mail).toMatchObject({
      to: [{ address: email }],
      subject: expect.stringContaining('is confirmed'),
    });
    expect(mail.html).toContain('<!doctype html>');
    expect((await stat(path)).mode & 0o077).toBe(0);
    expect(logged).toContainEqual(expect.objectContaining({ path, email: emailId }));
  });

  test('a folder that can’t be written is tried again', async () => {
    await writeFile(join(folder, 'mails'), 'in the way');
    await startWith({ delivery: fileDelivery(join(folder, 'mails'), pino({ level: 'silent' })) });
    const { id } = await paidOrder();
    expect(await untilEmail(id, ({ tries }) => tries >= 2)).toMatchObject({
      status: 'QUEUED',
      lastError: expect.stringContaining('EEXIST'),
    });
    await rm(join(folder, 'mails'));
    await untilSent(id);
  });
});
