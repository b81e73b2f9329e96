import { BoundedMap } from '../bounded-map.js';
import { PendingWork } from '../pending-work.js';
import type { Customer, Invoice } from './invoice.js';
import { randomName } from './invoice-ledger.js';
import type { Payer } from './payer.js';

/** Something on a payer's phone: a question to approve or decline, or a code to type in somewhere else. */
export interface Prompt {
  readonly id: string;
  readonly invoice: Invoice;
  /** The operator's path, or the way to pay that sent the code. */
  readonly channel: string;
  readonly customer: Customer;
  /** Not there: it is a question. */
  readonly code: string | undefined;
}

export type Decision = 'APPROVED' | 'DECLINED' | 'TOO_LATE';

interface Waiting {
  readonly prompt: Prompt;
  readonly onDecision: ((decision: Decision) => void) | undefined;
  readonly deadline: Date | undefined;
}

const MAXIMUM_PROMPTS = 10_000;

/** The phones of all payers. */
export class Phone {
  readonly #payer: Payer;
  readonly #now: () => Date;
  readonly #windows = new PendingWork();
  readonly #waiting = new BoundedMap<string, Waiting>(MAXIMUM_PROMPTS);

  constructor(payer: Payer, now: () => Date) {
    this.#payer = payer;
    this.#now = now;
  }

  /** What waits for somebody, the oldest first. */
  prompts(): Prompt[] {
    return [...this.#waiting.values()]
      .map(({ prompt }) => prompt)
      .filter(({ invoice }) => invoice.status === 'pending');
  }

  find(id: string): Prompt | undefined {
    return this.#waiting.get(id)?.prompt;
  }

  /** The last one about this invoice. */
  lastAbout(invoice: Invoice): Prompt | undefined {
    return this.prompts().findLast((prompt) => prompt.invoice === invoice);
  }

  ask(about: Omit<Prompt, 'id'>): Prompt {
    return this.#add(about, undefined, undefined);
  }

  /** What the payer decides within this time. */
  askAndWait(about: Omit<Prompt, 'id'>, milliseconds: number): Promise<Decision> {
    return new Promise((resolve) => {
      const deadline = new Date(this.#now().getTime() + milliseconds);
      const { id } = this.#add(about, deadline, resolve);
      this.#windows.later(milliseconds, () => this.#end(id, 'TOO_LATE'));
    });
  }

  approve({ id, invoice, channel, customer }: Prompt): void {
    this.#payer.pay(invoice, channel, customer);
    // The payer may have approved what they can't pay.
    this.#end(id, invoice.payment ? 'APPROVED' : 'DECLINED');
  }

  decline({ id, invoice, channel }: Prompt): void {
    this.#payer.decline(invoice, channel);
    this.#end(id, 'DECLINED');
  }

  /** Where time was played forward. */
  endOverdue(): void {
    const now = this.#now();
    for (const { prompt, deadline } of [...this.#waiting.values()]) {
      if (deadline && deadline <= now) this.#end(prompt.id, 'TOO_LATE');
    }
  }

  stop(): void {
    this.#windows.stop();
  }

  #add(
    about: Omit<Prompt, 'id'>,
    deadline: Date | undefined,
    onDecision: ((decision: Decision) => void) | undefined,
  ): Prompt {
    const prompt = { ...about, id: randomName() };
    this.#waiting.set(prompt.id, { prompt, deadline, onDecision });
    return prompt;
  }

  #end(id: string, decision: Decision): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.onDecision?.(decision);
  }
}
