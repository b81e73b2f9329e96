import { toDecimal } from '../../money.js';
import { BoundedMap } from '../bounded-map.js';
import type { Misbehaviour } from '../misbehaviour.js';
import { PendingWork } from '../pending-work.js';
import { type WebhookCounts, type WebhookMessage, WebhookSender } from '../webhook-sender.js';
import { type BankPayment, type BankPaymentStatus, randomName } from './bank-ledger.js';
import type { BankDialect } from './dialect.js';
import type { BankRefund } from './refund-ledger.js';
import type { BankHand } from './writing.js';

export interface BankNotificationsOptions {
  readonly dialect: BankDialect;
  readonly hand: BankHand;
  readonly webhookSecret: string;
  readonly webhookUrl: () => string;
  /** false: nobody is told anything. */
  readonly webhooks: boolean;
  readonly webhookDelayMilliseconds: number | undefined;
  readonly firstRetryMilliseconds: number | undefined;
  readonly maximumPayments: number;
  readonly now: () => Date;
  readonly log: (line: string) => void;
}

const EVENT_TYPES: Readonly<Record<BankPaymentStatus, string>> = {
  CREATED: 'payment.created',
  AUTHORISING: 'payment.authorising',
  BOOKED: 'transfer.credited',
  REJECTED: 'payment.rejected',
  CANCELLED: 'payment.cancelled',
  EXPIRED: 'payment.expired',
};

/** What the bank tells the merchant, worded and signed in its dialect. */
export class BankNotifications {
  readonly #options: BankNotificationsOptions;
  readonly #work = new PendingWork();
  readonly #sender: WebhookSender;
  /** The last message about each payment and each refund, by its id. */
  readonly #last: Map<string, WebhookMessage>;

  constructor(options: BankNotificationsOptions) {
    this.#options = options;
    this.#last = new BoundedMap(options.maximumPayments);
    this.#sender = new WebhookSender(
      {
        url: options.webhookUrl,
        headers: (message) => this.#headers(message),
        delayMilliseconds: options.webhookDelayMilliseconds,
        firstRetryMilliseconds: options.firstRetryMilliseconds,
        logRetry: options.log,
        logGivenUp: options.log,
      },
      this.#work,
    );
  }

  get counts(): WebhookCounts {
    return this.#sender.counts;
  }

  tell(payment: BankPayment): void {
    this.#send(payment, payment.id, EVENT_TYPES[payment.status], dataOfPayment(payment, this.#options.now()));
  }

  /** That it was booked or rejected. */
  tellOfRefund(payment: BankPayment, refund: BankRefund): void {
    this.#send(payment, refund.id, `refund.${refund.status.toLowerCase()}`, dataOfRefund(payment, refund));
  }

  /** The last notification of this payment or refund once more, with the same event id. */
  tellAgain({ id }: BankPayment | BankRefund): void {
    const message = this.#last.get(id);
    if (!message) throw new Error(`there is no notification about ${id} to deliver again`);
    this.#sender.send(message);
  }

  misbehave(misbehaviour: Misbehaviour): void {
    this.#sender.misbehave(misbehaviour);
  }

  pause(): void {
    this.#sender.pause();
  }

  resume(): void {
    this.#sender.resume();
  }

  settled(): Promise<void> {
    return this.#work.settled();
  }

  stop(): void {
    this.#work.stop();
    this.#sender.stop();
  }

  #send(payment: BankPayment, about: string, type: string, data: object): void {
    const { dialect, hand, webhooks } = this.#options;
    if (!webhooks) return;
    const id = `bevt_${randomName()}`;
    const createdAt = this.#options.now().toISOString();
    const notification = { id, type, created_at: createdAt, data };
    const message: WebhookMessage = {
      id,
      subject: payment.id,
      url: payment.notificationUrl,
      ...dialect.encode(hand.notification(dialect.notification(notification))),
    };
    this.#last.set(about, message);
    this.#sender.send(message);
  }

  #headers(message: WebhookMessage): Record<string, string> {
    const { dialect, webhookSecret, now } = this.#options;
    return dialect.sign(message, webhookSecret, Math.floor(now().getTime() / 1000));
  }
}

function dataOfPayment(payment: BankPayment, now: Date): object {
  return {
    payment_id: payment.id,
    transfer_id: payment.transferId,
    reference: payment.reference,
    amount: toDecimal(payment.amount, payment.currency),
    currency: payment.currency,
    status: payment.status,
    ...(payment.transferId && {
      debtor: { name: 'A. DIOP', iban_last4: '1234' },
      value_date: now.toISOString().slice(0, 10),
      end_to_end_id: payment.reference,
    }),
  };
}

function dataOfRefund(payment: BankPayment, refund: BankRefund): object {
  return {
    payment_id: payment.id,
    reference: payment.reference,
    refund_id: refund.id,
    refund_reference: refund.reference,
    amount: toDecimal(refund.amount, payment.currency),
    currency: payment.currency,
    status: refund.status,
  };
}
