import { join } from 'node:path';
import type { Logger } from 'pino';
import { ConfigError, type Config } from './config.js';
import type { EmailSettings } from './notifications/email/email-dependencies.js';
import {
  EmailTemplatesError,
  readEmailTemplates,
  type EmailTemplates,
} from './notifications/email/email-templates.js';
import { fileDelivery } from './notifications/email/file-delivery.js';
import { smtpDelivery } from './notifications/email/smtp-delivery.js';

/** How this installation writes e-mails. @throws {ConfigError} when its templates are not usable. */
export async function createEmails(config: Config, log: Logger): Promise<EmailSettings> {
  const { emails, production } = config;
  const { smtpUrl, templatesFolder, ...settings } = emails;
  const templates = await readTemplates(templatesFolder);
  if (smtpUrl !== undefined) return { ...settings, templates, delivery: smtpDelivery(smtpUrl, log) };
  const folder = mailFolder(config);
  if (production)
    log.warn({ folder }, 'SMTP_URL is not set: e-mails are written into files, and reach nobody');
  return { ...settings, templates, delivery: fileDelivery(folder, log) };
}

/** Where e-mails are written as files when there is no mail server. */
export function mailFolder({ dataFolder }: Pick<Config, 'dataFolder'>): string {
  return join(dataFolder, 'mails');
}

async function readTemplates(folder: string | undefined): Promise<EmailTemplates> {
  try {
    return await readEmailTemplates(folder);
  } catch (error) {
    if (!(error instanceof EmailTemplatesError)) throw error;
    throw new ConfigError(error.faults.map((fault) => `EMAIL_TEMPLATES_FOLDER: ${fault}`));
  }
}
