import { randomUUID } from 'node:crypto';
import { BoundedMap } from '../bounded-map.js';
import type { Misbehaviour } from '../misbehaviour.js';
import type { PendingWork } from '../pending-work.js';
import { type WebhookCounts, type WebhookMessage, WebhookSender } from '../webhook-sender.js';
import type { CallbackSigner, ForgedSignature } from './callback-signature.js';
import { type Deposit, isFinal } from './deposit-ledger.js';
import { findMagicAmount } from './magic-amounts.js';
import { showAmount } from './operators.js';
import {
  presentDeposit,
  presentDepositInCallback,
  presentRefund,
  presentRefundInCallback,
  type Wording,
} from './presentation.js';
import type { PawaPayRefund } from './refund-ledger.js';

export interface PawaPayCallbacksOptions {
  readonly url: () => string;
  /** What the signature says the address is. */
  readonly publicUrl: () => string;
  /** Undefined: callbacks are not signed. */
  readonly signer: CallbackSigner | undefined;
  readonly wording: Wording;
  readonly firstRetryMilliseconds: number | undefined;
  readonly now: () => Date;
  readonly log: (line: string) => void;
}

/** More than are ever on their way at once. */
const MOST_FORGED = 1000;

/** What pawaPay tells the merchant. It names no event: whoever is told twice sees the same id and status twice. */
export class PawaPayCallbacks {
  readonly #options: PawaPayCallbacksOptions;
  readonly #sender: WebhookSender;
  readonly #forged = new BoundedMap<string, ForgedSignature>(MOST_FORGED);

  constructor(options: PawaPayCallbacksOptions, work: PendingWork) {
    this.#options = options;
    this.#sender = new WebhookSender(
      {
        url: options.url,
        headers: (message) => this.#headers(message),
        isTaken: (status) => status === 200,
        firstRetryMilliseconds: options.firstRetryMilliseconds,
        logRetry: options.log,
        logGivenUp: options.log,
      },
      work,
    );
  }

  get counts(): WebhookCounts {
    return this.#sender.counts;
  }

  /** At its end, and when the page of its operator is known. A magic amount has its way with the end. */
  tell(deposit: Deposit): void {
    const oddity = isFinal(deposit)
      ? findMagicAmount(showAmount(deposit.amount, deposit.currency))?.callback
      : undefined;
    if (oddity === 'LOST') return;
    const message = this.#messageOf(deposit);
    if (oddity === 'UNSIGNED') this.#forged.set(message.id, 'NONE');
    this.#sender.send(message);
    if (oddity === 'TWICE') this.#sender.send(message);
  }

  tellAgain(deposit: Deposit): void {
    this.#sender.send(this.#messageOf(deposit));
  }

  tellOfRefund(refund: PawaPayRefund): void {
    const { wording } = this.#options;
    const present = wording.clientReferenceInCallbacks ? presentRefund : presentRefundInCallback;
    this.#sender.send(newMessage(refund.deposit.id, present(refund, wording)));
  }

  /** What somebody else sends in pawaPay's name. */
  forge(subject: string, body: object, signature: ForgedSignature): void {
    const message = newMessage(subject, body);
    this.#forged.set(message.id, signature);
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

  stop(): void {
    this.#sender.stop();
  }

  #messageOf(deposit: Deposit): WebhookMessage {
    const { wording } = this.#options;
    const present = wording.clientReferenceInCallbacks ? presentDeposit : presentDepositInCallback;
    return newMessage(deposit.id, present(deposit));
  }

  #headers({ id, body }: WebhookMessage): Record<string, string> {
    const { signer, publicUrl, now } = this.#options;
    const signature = signer?.headers(new URL(publicUrl()), body, now(), this.#forged.get(id));
    return { 'content-type': 'application/json', ...signature };
  }
}

function newMessage(subject: string, body: object): WebhookMessage {
  return { id: randomUUID(), subject, body: JSON.stringify(body) };
}
