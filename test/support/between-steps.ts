import pg from 'pg';
import { COMMIT_PAYMENT_CHANGE } from '../../src/payments/commit-change.js';
import type { Provider } from '../../src/providers/provider.js';

type Interruption = () => unknown;

interface Waiting {
  readonly step: string;
  /** A text among the statement's values: whose statement, or what it is about. */
  readonly about: string | undefined;
  readonly interruption: Interruption;
}

const CALLS = ['initiate', 'verify', 'cancel', 'capture', 'refund', 'updateAmount'] as const;

type ProviderCall = (typeof CALLS)[number];

/** A call of a provider (`stripe.refund`). */
export type ProviderStep = `${string}.${ProviderCall}`;

/**
 * Lets something happen exactly between two steps of the real code, once: before or after a call of a provider, or
 * between reading a payment and writing what was decided. The code that is interrupted waits meanwhile.
 */
export class BetweenSteps {
  readonly #waiting = new Set<Waiting>();
  readonly #query = pg.Client.prototype.query;

  constructor() {
    const takeStatement = (query: unknown) => this.#takeStatement(query);
    const query = this.#query as (...args: unknown[]) => unknown;
    replaceQuery(function (this: pg.Client, ...args: unknown[]) {
      const found = takeStatement(args[0]);
      return found ? happening(found).then(() => query.apply(this, args)) : query.apply(this, args);
    });
  }

  /** For `startTestApp`. */
  readonly decorate = (provider: Provider): Provider =>
    new Proxy(provider, {
      get: (target, property, receiver) => {
        const member: unknown = Reflect.get(target, property, receiver);
        if (typeof member !== 'function' || !isCall(property)) return member;
        const step = `${provider.name}.${property}`;
        return async (...args: unknown[]) => {
          await this.#let(`before ${step}`);
          const answer: unknown = await Reflect.apply(member, target, args);
          await this.#let(`after ${step}`);
          return answer;
        };
      },
    });

  /** Before the provider hears of the next such call. */
  before(step: ProviderStep, interruption: Interruption): void {
    this.#waiting.add({ step: `before ${step}`, about: undefined, interruption });
  }

  /** When the provider has done it, and we have not read its answer yet. */
  after(step: ProviderStep, interruption: Interruption): void {
    this.#waiting.add({ step: `after ${step}`, about: undefined, interruption });
  }

  /**
   * When a change of a payment has been decided on what was read, and is about to be written.
   * @param about a text in the change: an action of the audit log (`refund.queued`), a status, a reference.
   */
  beforeWriting(about: string, interruption: Interruption): void {
    this.#waiting.add({ step: COMMIT_PAYMENT_CHANGE, about, interruption });
  }

  /** Everything that was to happen has happened. */
  expectAllHappened(): void {
    const missed = [...this.#waiting].map(({ step, about }) => [step, about].filter(Boolean).join(' of '));
    this.#waiting.clear();
    expect(missed).toEqual([]);
  }

  stop(): void {
    replaceQuery(this.#query);
  }

  async #let(step: string): Promise<void> {
    const found = [...this.#waiting].find((waiting) => waiting.step === step);
    if (!found) return;
    this.#waiting.delete(found);
    await happening(found);
  }

  #takeStatement(query: unknown): Waiting | undefined {
    if (this.#waiting.size === 0 || typeof query !== 'object' || query === null) return undefined;
    const { name, values } = query as { name?: string; values?: unknown[] };
    const found = [...this.#waiting].find(
      ({ step, about }) =>
        name?.startsWith(step) && (about === undefined || JSON.stringify(values).includes(about)),
    );
    if (found) this.#waiting.delete(found);
    return found;
  }
}

function replaceQuery(query: (this: pg.Client, ...args: never[]) => unknown): void {
  pg.Client.prototype.query = query as typeof pg.Client.prototype.query;
}

async function happening({ interruption }: Waiting): Promise<void> {
  await interruption();
}

function isCall(property: string | symbol): property is ProviderCall {
  return (CALLS as readonly (string | symbol)[]).includes(property);
}
