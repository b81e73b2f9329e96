import type { EntityManager } from 'typeorm';
import type { Logger } from 'pino';
import type { Task } from '../../jobs/job-runner.js';
import { repeatJob, type RepeatedJob } from '../../jobs/repeat.js';
import type { Consequence } from '../../outbox/relay.js';
import type { DisabledEndpoint } from '../merchant-webhooks/disable-endpoint.js';
import { addOverdueEmails } from './add-overdue-emails.js';
import { announceUnreadableNotifications } from './announce-unreadable-notifications.js';
import { announceDisabledEndpoint } from './announce-disabled-endpoint.js';
import type { EmailDependencies, EmailSettings, EmailTiming } from './email-dependencies.js';
import { queueEmails } from './queue-emails.js';
import { remindOfPaymentTask } from './remind-of-payment.js';
import { FIRST_PAUSE_MILLISECONDS } from './retry-schedule.js';
import { sendEmailTask } from './send-email.js';

const TIMING: EmailTiming = {
  tryMilliseconds: 30_000,
  firstPauseMilliseconds: FIRST_PAUSE_MILLISECONDS,
  sweepMilliseconds: 1_000,
};

export interface Emails {
  readonly consequence: Consequence;
  readonly tasks: readonly Task[];
  /** @param manager of the transaction that disables it. */
  announceDisabledEndpoint(manager: EntityManager, endpoint: DisabledEndpoint): Promise<void>;
  start(): void;
  stop(): Promise<void>;
}

export function prepareEmails(
  manager: EntityManager,
  settings: EmailSettings,
  { orderTokens, timeZone }: Pick<EmailDependencies, 'orderTokens' | 'timeZone'>,
  log: Logger,
): Emails {
  const timing = { ...TIMING, ...settings.timing };
  let sweep: RepeatedJob | undefined;
  return {
    async consequence(transaction, events) {
      await queueEmails(settings)(transaction, events);
      await announceUnreadableNotifications(settings)(transaction, events);
    },
    tasks: [
      sendEmailTask({ manager, settings, timing, orderTokens, timeZone, log }),
      remindOfPaymentTask(manager, settings),
    ],
    announceDisabledEndpoint: (transaction, endpoint) =>
      announceDisabledEndpoint(transaction, settings, endpoint),
    start() {
      const work = () => addOverdueEmails(manager);
      sweep = repeatJob('find e-mails whose job was lost', timing.sweepMilliseconds, work, log);
    },
    stop: async () => sweep?.stop(),
  };
}
