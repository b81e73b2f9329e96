import { RecentUse } from './recent-use.js';
import { LimitError } from './limit-error.js';

/** Refused within a second, with time left for the answer. */
const MOST_WAITING_MILLISECONDS = 800;

/** What waits at most, for each place: at a millisecond an operation, it is served within the time that it may wait. */
const WAITING_PER_PLACE = 16;

/** Of all places, and of all that waits: so others find some, however many one client asks for. */
const MOST_OF_ONE_CLIENT = 3 / 4;

/** One that takes longer waits for a provider or a lock, and not for us: others take its place meanwhile. */
const PLACE_MILLISECONDS = 1_000;

/** An operation of a shop's page costs less; a year of places three times as much. */
const COST_OF_ONE_USE = 250;

const RETRY_AFTER_SECONDS = 1;

/** A place among the operations that run. */
export interface Place {
  /** More than once does nothing. */
  leave(): void;
}

interface Waiting {
  readonly key: string;
  readonly admit: (place: Place) => void;
  readonly refuse: (error: LimitError) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * Lets in so many operations at a time. First comes who has used least of late, so one that sends a thousand is served
 * between the others. What can't be let in within a second is refused then, and what could not be, at once.
 */
export class Turnstile {
  /** Clients that wait, in the order in which it is their turn. */
  private readonly queues = new Map<string, Waiting[]>();
  private readonly running = new Map<string, number>();
  private readonly use = new RecentUse();
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
    if (this.waitingCount >= most && !this.makeRoom(key)) return Promise.reject(overloaded());
    return new Promise((admit, refuse) => {
      const timer = setTimeout(() => {
        this.forget(waiting);
        refuse(overloaded());
      }, MOST_WAITING_MILLISECONDS);
      const waiting: Waiting = { key, admit, refuse, timer };
      queue.push(waiting);
      this.queues.set(key, queue);
      this.waitingCount += 1;
      this.turn();
    });
  }

  /**
   * Admits one in each turn of the event loop, so that health and webhooks come in between. And Node accepts one connection
   * in each turn: with more work in one, a crowd that connects would keep everybody else out.
   */
  private turn(): void {
    if (this.isTurning || this.waitingCount === 0 || this.runningCount >= this.places) return;
    this.isTurning = true;
    setImmediate(() => {
      this.isTurning = false;
      if (this.admitNext()) this.turn();
    });
  }

  private admitNext(): boolean {
    if (this.runningCount >= this.places) return false;
    const next = this.next();
    if (!next) return false;
    const { key } = next;
    this.forget(next);
    this.use.add(key, 1);
    // Of those who have used as much, its next turn is the last one.
    const queue = this.queues.get(key);
    if (queue && this.queues.delete(key)) this.queues.set(key, queue);
    next.admit(this.occupy(key));
    return true;
  }

  /** The first of the client who has used least of late: one who asks for little goes before those who ask for much. */
  private next(): Waiting | undefined {
    const most = Math.max(1, Math.floor(this.places * MOST_OF_ONE_CLIENT));
    let chosen: Waiting | undefined;
    let least = Infinity;
    for (const [key, queue] of this.queues) {
      if ((this.running.get(key) ?? 0) >= most) continue;
      const used = this.use.of(key);
      if (used >= least) continue;
      least = used;
      chosen = queue[0];
      if (least === 0) break;
    }
    return chosen;
  }

  /**
   * Where too much waits already, who has asked for most gives way, and not who comes last: else a crowd that keeps the queue
   * full would keep everybody else out of it.
   * @returns whether there is room now.
   */
  private makeRoom(key: string): boolean {
    const demand = (client: string) => (this.queues.get(client)?.length ?? 0) + this.use.of(client);
    let greediest = key;
    let most = demand(key) + 1;
    for (const client of this.queues.keys()) {
      const theirs = demand(client);
      if (theirs <= most) continue;
      greediest = client;
      most = theirs;
    }
    const last = greediest === key ? undefined : this.queues.get(greediest)?.at(-1);
    if (!last) return false;
    this.forget(last);
    last.refuse(overloaded());
    return true;
  }

  /** For what turned out to cost more than most operations do. */
  charge(key: string, cost: number): void {
    if (this.places > 0) this.use.add(key, cost / COST_OF_ONE_USE);
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
