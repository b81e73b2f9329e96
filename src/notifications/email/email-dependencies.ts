import type { EntityManager } from 'typeorm';
import type { Logger } from 'pino';
import type { OrderTokens } from '../../access/order-token.js';
import type { EmailDelivery } from './email-delivery.js';
import type { EmailTemplates } from './email-templates.js';
import type { QueueSettings } from './queue-emails.js';
import type { Mailbox } from './mailbox.js';

export interface EmailSettings extends QueueSettings {
  /** It stays the caller's to close. */
  readonly delivery: EmailDelivery;
  readonly templates: EmailTemplates;
  readonly from: Mailbox;
  /** A page of the shop's, with `{order}` and `{token}` in it. Without it, mails have no link to pay. */
  readonly checkoutUrl?: string;
  readonly timing?: Partial<EmailTiming>;
}

export interface EmailTiming {
  /** For one try. */
  readonly tryMilliseconds: number;
  /** Before the second try; each further pause is twice as long. */
  readonly firstPauseMilliseconds: number;
  /** How often e-mails are looked for whose job was lost. */
  readonly sweepMilliseconds: number;
}

/** What sending an e-mail needs. */
export interface EmailDependencies {
  readonly manager: EntityManager;
  readonly settings: EmailSettings;
  readonly timing: EmailTiming;
  readonly orderTokens: OrderTokens;
  /** IANA; in which times are written. */
  readonly timeZone: string;
  readonly log: Logger;
}
