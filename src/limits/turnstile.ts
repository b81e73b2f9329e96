import { LimitError } from './limit-error.js';

/** Refused within a second, with time left for the answer. */
const MOST_WAITING_MILLISECONDS = 800;

/** What waits at most, for each place: at a millisecond an operation, it is served within the time that it may wait. */
const WAITING_PER_PLACE = 16;

/** Of all places, and of all that waits: so others find some, however many one client asks for. */
const MOST_OF_ONE_CLIENT = 3 / 4;

/** One that takes longer waits for a provider or a lock, and not for us: others take its place meanwhile. */
const PLACE_MILLISECONDS = 1_000;

/** After so many, the event loop looks at its sockets: health and webhooks come in between. */
const ADMITTED_AT_ONCE = 8;

const RETRY_AFTER_SECONDS = 1;

/** A place among the operations that run. */
export interface Place {
  /** More than once does nothing. */
  leave(): void;
}

interface Waiting {
  readonly key: string;
  readonly admit: (place: Place) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * Lets in so many operations at a time, of each client in turn: one that sends a thousand is served one by one, between
 * the others. What can't be let in within a second is refused then, and what could not be, at once.
 */
export class Turnstile {
  /** Clients that wait, in the order in which it is their turn. */
  private readonly queues = new Map<string, Waiting[]>();
  private readonly running = new Map<string, number>();
  private waitingCount = 0;
  private runningCount = 0;
  private isTurning = false;

  /** @param places how many run at a time; 0: any number. */
  constructor(private readonly places: number) {}

  /** @param key the client, by which places are shared. @throws {LimitError} */
  enter(key: string): Promise<Place> {
    if (this.places === 0) return Promise.resolve({ leave: () => undefined });
    const most = this.places * WAITING_PER_PLACE;
    const queue = this.queues.get(key) ?? [];
    if (queue.length >= most * MOST_OF_ONE_CLIENT) return Promise.reject(tooManyOfOne());
    if (this.waitingCount >= most) return Promise.reject(overloaded());
    return new Promise((admit, refuse) => {
      const timer = setTimeout(() => {
        this.forget(waiting);
        refuse(overloaded());
      }, MOST_WAITING_MILLISECONDS);
      const waiting: Waiting = { key, admit, timer };
      queue.push(waiting);
      this.queues.set(key, queue);
      this.waitingCount += 1;
      this.turn();
    });
  }

  /** Admits in a later turn of the event loop, and never a whole crowd in one. */
  private turn(): void {
    if (this.isTurning || this.waitingCount === 0 || this.runningCount >= this.places) return;
    this.isTurning = true;
    setImmediate(() => {
      this.isTurning = false;
      for (let admitted = 0; admitted < ADMITTED_AT_ONCE; admitted += 1) {
        if (!this.admitNext()) return;
      }
      this.turn();
    });
  }

  private admitNext(): boolean {
    if (this.runningCount >= this.places) return false;
    for (const [key, queue] of this.queues) {
      if ((this.running.get(key) ?? 0) >= Math.max(1, Math.floor(this.places * MOST_OF_ONE_CLIENT))) continue;
      const next = queue[0]!;
      this.forget(next);
      // Its next turn comes after all others'.
      if (this.queues.delete(key) && queue.length > 0) this.queues.set(key, queue);
      next.admit(this.occupy(key));
      return true;
    }
    return false;
  }

  private forget(waiting: Waiting): void {
    const { key, timer } = waiting;
    clearTimeout(timer);
    const queue = this.queues.get(key)!;
    queue.splice(queue.indexOf(waiting), 1);
    if (queue.length === 0) this.queues.delete(key);
    this.waitingCount -= 1;
  }

  private occupy(key: string): Place {
    this.runningCount += 1;
    this.running.set(key, (this.running.get(key) ?? 0) + 1);
    let isOver = false;
    const leave = () => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      this.runningCount -= 1;
      const left = this.running.get(key)! - 1;
      if (left > 0) this.running.set(key, left);
      else this.running.delete(key);
      this.turn();
    };
    const timer = setTimeout(leave, PLACE_MILLISECONDS);
    timer.unref();
    return { leave };
  }
}

function tooManyOfOne(): LimitError {
  return new LimitError(
    'RATE_LIMITED',
    `Too many requests of your address wait already. Try again in ${RETRY_AFTER_SECONDS} s.`,
    RETRY_AFTER_SECONDS,
  );
}

function overloaded(): LimitError {
  return new LimitError(
    'OVERLOADED',
    `Quittance has too much to do at the moment; nothing was done. Repeat the same request in ${RETRY_AFTER_SECONDS} s.`,
    RETRY_AFTER_SECONDS,
  );
}
