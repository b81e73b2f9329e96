/** Stripe counts whole seconds since 1970. */
export function fromStripeTime(seconds: number): Date {
  return new Date(seconds * 1000);
}

/** A range of Stripe's that holds all of this time. It begins and ends with whole seconds, so it may hold a little more. */
export function stripeRange(since: Date, until?: Date): { gte: number; lt?: number } {
  const gte = Math.floor(since.getTime() / 1000);
  return until === undefined ? { gte } : { gte, lt: Math.ceil(until.getTime() / 1000) };
}
