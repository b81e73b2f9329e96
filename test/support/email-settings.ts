import { pino } from 'pino';
import type { EmailSettings } from '../../src/notifications/email/email-dependencies.js';
import { readEmailTemplates } from '../../src/notifications/email/email-templates.js';
import { smtpDelivery } from '../../src/notifications/email/smtp-delivery.js';

export const MERCHANT = 'merchant@shop.example';

/** Through this server, and fast. */
export async function emailSettings(
  smtpUrl: string,
  settings: Partial<EmailSettings> = {},
): Promise<EmailSettings> {
  return {
    delivery: smtpDelivery(smtpUrl, pino({ level: process.env.TEST_LOG_LEVEL ?? 'silent' })),
    templates: await readEmailTemplates(),
    from: { name: 'Chez Awa', address: 'orders@shop.example' },
    merchant: { address: MERCHANT, locale: 'en' },
    checkoutUrl: 'https://shop.example/checkout#order={order}&token={token}',
    reminderAfterMilliseconds: 0,
    timing: { firstPauseMilliseconds: 100, sweepMilliseconds: 50 },
    ...settings,
  };
}
