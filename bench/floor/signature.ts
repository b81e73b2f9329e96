import { createHmac, timingSafeEqual } from 'node:crypto';

/** What the floor reads of a `payment_intent.succeeded`. */
export interface SignedNotification {
  readonly id: string;
  readonly type: string;
  readonly data: {
    readonly object: {
      readonly id: string;
      readonly amount_received: number;
      readonly metadata: { readonly quittance_attempt: string };
    };
  };
}

export function isSigned(secret: string, signature: string, body: string): boolean {
  const [, time, given] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(signature) ?? [];
  if (!time || !given) return false;
  const expected = createHmac('sha256', secret).update(`${time}.${body}`).digest();
  return timingSafeEqual(expected, Buffer.from(given, 'hex'));
}
