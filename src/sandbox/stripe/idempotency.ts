import { BoundedMap } from '../bounded-map.js';
import { StripeDoubleError } from './stripe-error.js';

/** An answer of the API, as it goes out. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

interface Remembered {
  readonly request: string;
  /** Undefined while the first request is still under way. */
  answer?: Answer;
}

/** What Stripe does with `Idempotency-Key`: the first answer is the answer, whatever its status. */
export class IdempotencyStore {
  private readonly keys: Map<string, Remembered>;

  constructor(maxKeys: number) {
    this.keys = new BoundedMap(maxKeys);
  }

  /**
   * The first answer to this key, if there was one; otherwise the key is now under way, until `remember` or `forget`.
   * @throws {StripeDoubleError} 400 when the key came with another request, 409 while the first is under way.
   */
  replay(key: string, request: string): Answer | undefined {
    const known = this.keys.get(key);
    if (!known) {
      this.keys.set(key, { request });
      return undefined;
    }
    if (known.request !== request) {
      const message = `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}'.`;
      throw new StripeDoubleError(400, { type: 'idempotency_error', message }, false);
    }
    if (!known.answer) {
      const message = `There is currently another in-progress request using this idempotency key '${key}'.`;
      const body = { type: 'idempotency_error', code: 'idempotency_key_in_use', message } as const;
      throw new StripeDoubleError(409, body, false);
    }
    return known.answer;
  }

  remember(key: string, answer: Answer): void {
    const known = this.keys.get(key);
    if (known) known.answer = answer;
  }

  /** Nothing was executed, so the key may come again. Does nothing once there is an answer. */
  forget(key: string): void {
    if (this.keys.get(key)?.answer === undefined) this.keys.delete(key);
  }
}
