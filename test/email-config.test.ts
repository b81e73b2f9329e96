import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { ConfigError, loadConfig } from '../src/config.js';
import { createEmails } from '../src/create-emails.js';
import { parseMailbox } from '../src/notifications/email/mailbox.js';

function faultsOf(environment: Record<string, string>): readonly string[] {
  try {
    loadConfig(environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

test('nothing has to be set: e-mails are written into files, reminders after an hour, and no merchant is written to', () => {
  expect(loadConfig({}).emails).toEqual({
    from: { name: 'Quittance', address: 'no-reply@localhost' },
    reminderAfterMilliseconds: 60 * 60_000,
    freeEmailsPerDay: 5,
  });
});

test('everything can be set', () => {
  const environment = {
    SMTP_URL: 'smtps://user:password@mail.example',
    EMAIL_FROM: 'Ma Boutique <orders@shop.example>',
    MERCHANT_EMAIL: 'payments@shop.example',
    MERCHANT_LOCALE: 'fr-SN',
    CHECKOUT_URL: 'https://shop.example/pay/{order}#{token}',
    EMAIL_TEMPLATES_FOLDER: 'templates',
    REMINDER_AFTER_MINUTES: '0',
  };
  expect(loadConfig(environment).emails).toEqual({
    smtpUrl: environment.SMTP_URL,
    from: { name: 'Ma Boutique', address: 'orders@shop.example' },
    merchant: { address: 'payments@shop.example', locale: 'fr-SN' },
    checkoutUrl: environment.CHECKOUT_URL,
    templatesFolder: 'templates',
    reminderAfterMilliseconds: 0,
    freeEmailsPerDay: 5,
  });
});

test.each([
  [{ SMTP_URL: 'smtp://mail.example' }, 'EMAIL_FROM is missing: SMTP_URL sends e-mails'],
  [
    { SMTP_URL: 'https://mail.example', EMAIL_FROM: 'a@b.example' },
    'SMTP_URL must be an smtp:// or smtps:// URL',
  ],
  [{ EMAIL_FROM: 'Ma Boutique' }, 'EMAIL_FROM must be an address, such as Shop <orders@shop.example>'],
  [{ MERCHANT_EMAIL: 'nobody' }, 'MERCHANT_EMAIL must be an address, such as Shop <orders@shop.example>'],
  [{ CHECKOUT_URL: 'https://shop.example/pay' }, 'CHECKOUT_URL must have {order} and {token} in it'],
  [{ CHECKOUT_URL: 'javascript:{order}{token}' }, 'CHECKOUT_URL must be an http(s) URL'],
  [{ REMINDER_AFTER_MINUTES: '-1' }, 'REMINDER_AFTER_MINUTES must be at least 0'],
])('%j is refused', (environment, fault) => {
  expect(faultsOf(environment as unknown as Record<string, string>)).toEqual([fault]);
});

test.each([
  ['orders@shop.example', { name: null, address: 'orders@shop.example' }],
  [
    '"Chez Awa, Cotonou" <orders@shop.example>',
    { name: 'Chez Awa, Cotonou', address: 'orders@shop.example' },
  ],
  ['Shop <a@b.example>\r\nBcc: c@d.example', null],
  ['Shop <a@b.example>, c@d.example', null],
  ['a@b.example, c@d.example', null],
])('the mailbox %j is %j', (text, mailbox) => {
  expect(parseMailbox(text)).toEqual(mailbox);
});

test('production without a mail server says so; a broken template keeps it from starting, by the name of its file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'quittance-templates-'));
  const logged: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void logged.push(line) });
  const config = { ...loadConfig({ DATA_FOLDER: folder }), production: true };
  const emails = await createEmails(config, log);
  emails.delivery.close();
  expect(logged).toEqual([expect.stringContaining('SMTP_URL is not set')]);

  await writeFile(join(folder, 'order-confirmed.liquid'), 'not in its place');
  const broken = { ...config, emails: { ...config.emails, templatesFolder: folder } };
  await expect(createEmails(broken, log)).rejects.toThrow(
    new ConfigError(['EMAIL_TEMPLATES_FOLDER: order-confirmed.liquid: no e-mail has this file']),
  );
  await rm(folder, { recursive: true });
});
