import { LimitError } from './limit-error.js';

export interface AdmissionLimits {
  /** Operations that are worked on at once; 0: any number. */
  readonly underWay: number;
  /** Operations that wait to be; more are refused at once. */
  readonly waiting: number;
  /** How long one waits before it is refused. */
  readonly patienceMilliseconds: number;
}

interface Waiting {
  readonly begin: () => void;
}

/**
 * Bounds what is worked on at once, so that nobody waits long: what can't be begun soon is refused soon. Of those that
 * wait, each client's next is begun in turn, so that one that floods delays itself.
 */
export class Admission {
  private underWay = 0;
  private waiting = 0;
  /** By client, in the order of their turns. */
  private readonly queues = new Map<string, Waiting[]>();

  constructor(private readonly limits: AdmissionLimits) {}

  /**
   * @param client whose turn it is.
   * @returns how to say that it is done; saying so twice is harmless.
   * @throws {LimitError} OVERLOADED
   */
  async begin(client: string): Promise<() => void> {
    if (this.limits.underWay > 0 && (this.underWay >= this.limits.underWay || this.waiting > 0)) {
      await this.wait(client);
    } else this.underWay += 1;
    let isDone = false;
    return () => {
      if (isDone) return;
      isDone = true;
      this.underWay -= 1;
      this.beginNext();
    };
  }

  private wait(client: string): Promise<void> {
    if (this.waiting >= this.limits.waiting) throw overloaded();
    return new Promise((resolve, reject) => {
      const queue = this.queues.get(client) ?? [];
      const waiting: Waiting = {
        begin: () => {
          clearTimeout(patience);
          resolve();
        },
      };
      const patience = setTimeout(() => {
        this.remove(client, waiting);
        reject(overloaded());
      }, this.limits.patienceMilliseconds);
      queue.push(waiting);
      this.queues.set(client, queue);
      this.waiting += 1;
    });
  }

  private beginNext(): void {
    for (const [client, queue] of this.queues) {
      const [next] = queue;
      // To the end of the line, if anything of theirs is left.
      this.queues.delete(client);
      if (!next) continue;
      this.queues.set(client, queue);
      this.remove(client, next);
      this.underWay += 1;
      next.begin();
      return;
    }
  }

  private remove(client: string, waiting: Waiting): void {
    const queue = this.queues.get(client);
    const index = queue?.indexOf(waiting) ?? -1;
    if (!queue || index < 0) return;
    queue.splice(index, 1);
    this.waiting -= 1;
    if (queue.length === 0) this.queues.delete(client);
  }
}

function overloaded(): LimitError {
  return new LimitError(
    'OVERLOADED',
    'Quittance has too much to do at the moment. Repeat the same request in a moment.',
    1,
  );
}
