import type { WebhookCounts } from '../webhook-sender.js';
import { type BankApi, present } from './bank-api.js';
import type { BankPayment } from './bank-ledger.js';
import type { BankNotifications } from './bank-notifications.js';
import type { BankOperation, Fault } from './faults.js';
import { HttpProblem } from './http-exchange.js';

export interface BankCounts {
  readonly requests: Readonly<Record<BankOperation, number>>;
  readonly payments: number;
  readonly charges: number;
  readonly chargesByReference: Readonly<Record<string, number>>;
  readonly webhooks: WebhookCounts;
}

/** What a test does in place of the payer, the bank and bad luck. */
export interface BankDoubleControls {
  pay(idOrReference: string): void;
  /** Money that arrives although the payment is over: cancelled, rejected, or expired. */
  payLate(idOrReference: string): void;
  authorise(idOrReference: string): void;
  decline(idOrReference: string): void;
  cancel(idOrReference: string): void;
  /** The last notification once more, with the same event id. */
  deliverAgain(idOrReference: string): void;
  pauseWebhooks(): void;
  resumeWebhooks(): void;
  answerNext(operation: BankOperation, fault: Fault, times?: number): void;
  /** When no notification is under way or to be retried. */
  settled(): Promise<void>;
  counts(): BankCounts;
  /** As the API would show it. */
  payment(idOrReference: string): object;
}

export function createControls(api: BankApi, notifications: BankNotifications): BankDoubleControls {
  const { ledger, faults, requests } = api;
  const find = (idOrReference: string): BankPayment => {
    const payment = ledger.find(idOrReference);
    if (!payment) throw new HttpProblem(404, `no_such_payment: ${idOrReference}`);
    return payment;
  };
  return {
    pay: (idOrReference) => ledger.pay(find(idOrReference)),
    payLate: (idOrReference) => ledger.pay(find(idOrReference), true),
    authorise: (idOrReference) => ledger.authorise(find(idOrReference)),
    decline: (idOrReference) => ledger.decline(find(idOrReference)),
    cancel: (idOrReference) => ledger.cancel(find(idOrReference)),
    deliverAgain: (idOrReference) => notifications.tellAgain(find(idOrReference)),
    pauseWebhooks: () => notifications.pause(),
    resumeWebhooks: () => notifications.resume(),
    answerNext: (operation, fault, times = 1) => faults.add(operation, fault, times),
    settled: () => notifications.settled(),
    counts: () => ({
      requests: { ...requests },
      ...ledger.counts,
      chargesByReference: ledger.chargesByReference(),
      webhooks: notifications.counts,
    }),
    payment: (idOrReference) => present(api, find(idOrReference)),
  };
}
