import type { Logger } from 'pino';
import { RateLimiterMemory, RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible';
import { LimitError } from './limit-error.js';
import type { Limits, RateLimitName } from './limits.js';

const WINDOW_SECONDS = 60;

/** What a client is told in the headers of HTTP, also when it is served. */
export type RateLimitHeaders = Readonly<Record<string, string>>;

interface Named {
  readonly name: RateLimitName;
  readonly perMinute: number;
  readonly limiter: RateLimiterAbstract;
}

/** Of whom so much was asked, and how much of it this is. */
export interface Taking {
  readonly limit: RateLimitName;
  /** Whom it is counted for: an address, an order, a key. */
  readonly key: string;
  /** Default: 1. */
  readonly points?: number;
}

/** Counts what is asked for, by the minute. A minute begins with what is counted first. */
export class RateLimits {
  private readonly limiters: ReadonlyMap<RateLimitName, Named>;

  constructor(
    perMinute: Limits['perMinute'],
    private readonly log: Logger,
  ) {
    this.limiters = new Map(
      Object.entries(perMinute)
        .filter(([, most]) => most > 0)
        .map(([name, most]) => named(name as RateLimitName, most)),
    );
  }

  /**
   * Counts all of them, in order. @returns what HTTP says of the first of them.
   * @throws {LimitError} RATE_LIMITED, with the first that is used up. What was counted stays counted.
   */
  async take(takings: readonly Taking[]): Promise<RateLimitHeaders> {
    let headers: RateLimitHeaders | undefined;
    for (const taking of takings) {
      const limit = this.limiters.get(taking.limit);
      if (limit) {
        const taken = await this.takeOne(limit, taking);
        headers ??= headersOf(limit, taken);
      }
    }
    return headers ?? {};
  }

  private async takeOne(limit: Named, { key, points = 1 }: Taking): Promise<RateLimiterRes> {
    try {
      return await limit.limiter.consume(key, points);
    } catch (error) {
      if (!isUsedUp(error)) throw error;
      const isFirst = error.consumedPoints - points <= limit.perMinute;
      // Once a minute: the log of a flood would be a flood itself.
      if (isFirst) this.log.warn({ limit: limit.name, key }, 'a rate limit is used up');
      const seconds = secondsUntil(error);
      throw new LimitError(
        'RATE_LIMITED',
        `${SENTENCES[limit.name](limit.perMinute)} Try again in ${seconds} s.`,
        seconds,
        {
          ...headersOf(limit, error),
        },
      );
    }
  }
}

/** The only place that knows where it is counted: in the memory of this process. */
function named(name: RateLimitName, perMinute: number): readonly [RateLimitName, Named] {
  const limiter = new RateLimiterMemory({ keyPrefix: name, points: perMinute, duration: WINDOW_SECONDS });
  return [name, { name, perMinute, limiter }];
}

function isUsedUp(error: unknown): error is RateLimiterRes {
  return error instanceof RateLimiterRes;
}

function secondsUntil({ msBeforeNext }: RateLimiterRes): number {
  return Math.max(1, Math.ceil(msBeforeNext / 1_000));
}

/** As draft-ietf-httpapi-ratelimit-headers-10 writes them. */
function headersOf({ name, perMinute }: Named, taken: RateLimiterRes): RateLimitHeaders {
  return {
    'ratelimit-policy': `"${name}";q=${perMinute};w=${WINDOW_SECONDS}`,
    ratelimit: `"${name}";r=${Math.max(0, taken.remainingPoints)};t=${secondsUntil(taken)}`,
  };
}

const SENTENCES: Readonly<Record<RateLimitName, (perMinute: number) => string>> = {
  ordersPerAddress: (most) => `One address can make ${most} orders a minute.`,
  paymentsPerOrder: (most) => `createPaymentIntent can be asked ${most} times a minute for one order.`,
  paymentsPerAddress: (most) => `One address can ask createPaymentIntent ${most} times a minute.`,
  verifiesPerOrder: (most) =>
    `verifyPaymentIntent can be asked ${most} times a minute for one order. Watch it with paymentStatusChanged.`,
  badTokensPerAddress: (most) => `One address can send ${most} tokens a minute that are not good.`,
  refusedWebhooksPerAddress: (most) => `One address can send ${most} requests a minute that are refused.`,
  costPerAddress: (most) => `One address can ask for ${most} fields a minute.`,
  operationsPerApiKey: (most) => `One API key can send ${most} operations a minute.`,
};
