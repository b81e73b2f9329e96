import { z } from 'zod';
import { httpUrl, text, type ValuesOf, whole } from './environment.js';
import { FREE_EMAILS_PER_DAY } from './notifications/email/email-budget.js';
import { parseMailbox, type Mailbox } from './notifications/email/mailbox.js';

export interface EmailConfig {
  /** Undefined: e-mails are written into files. */
  readonly smtpUrl?: string;
  readonly from: Mailbox;
  /** Without it, the merchant is told by the log alone. */
  readonly merchant?: { readonly address: string; readonly locale: string };
  /** A page of the shop's, with `{order}` and `{token}` in it. */
  readonly checkoutUrl?: string;
  /** With files in place of ours. */
  readonly templatesFolder?: string;
  /** 0: nobody is reminded. */
  readonly reminderAfterMilliseconds: number;
  /** To one address, of those for which nobody had to pay. */
  readonly freeEmailsPerDay: number;
}

const MINUTE = 60_000;
const MOST_MINUTES = 30 * 24 * 60;

const mailbox = text.transform((value, context) => {
  const parsed = parseMailbox(value);
  if (!parsed) context.addIssue('must be an address, such as Shop <orders@shop.example>');
  return parsed ?? z.NEVER;
});

const smtpUrl = z
  .url({ protocol: /^smtps?$/, error: 'must be an smtp:// or smtps:// URL' })
  .refine((value) => URL.canParse(value) && new URL(value).hostname !== '', 'must name a host');

const checkoutUrl = httpUrl.refine(
  (value) => value.includes('{order}') && value.includes('{token}'),
  'must have {order} and {token} in it',
);

export const EMAIL_VARIABLES = {
  SMTP_URL: smtpUrl,
  EMAIL_FROM: mailbox,
  MERCHANT_EMAIL: mailbox,
  MERCHANT_LOCALE: text,
  CHECKOUT_URL: checkoutUrl,
  EMAIL_TEMPLATES_FOLDER: text,
  REMINDER_AFTER_MINUTES: whole(0, MOST_MINUTES),
  FREE_EMAILS_PER_DAY: whole(1, 1_000),
} as const;

/** Who writes while nothing leaves this machine. */
const NOBODY: Mailbox = { name: 'Quittance', address: 'no-reply@localhost' };

export function readEmails(values: ValuesOf<typeof EMAIL_VARIABLES>, faults: string[]): EmailConfig {
  if (values.SMTP_URL && !values.EMAIL_FROM) faults.push('EMAIL_FROM is missing: SMTP_URL sends e-mails');
  const merchant = values.MERCHANT_EMAIL;
  return {
    smtpUrl: values.SMTP_URL,
    from: values.EMAIL_FROM ?? NOBODY,
    merchant: merchant && { address: merchant.address, locale: values.MERCHANT_LOCALE ?? 'en' },
    checkoutUrl: values.CHECKOUT_URL,
    templatesFolder: values.EMAIL_TEMPLATES_FOLDER,
    reminderAfterMilliseconds: (values.REMINDER_AFTER_MINUTES ?? 60) * MINUTE,
    freeEmailsPerDay: values.FREE_EMAILS_PER_DAY ?? FREE_EMAILS_PER_DAY,
  };
}
