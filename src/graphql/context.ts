import type { EntityManager } from 'typeorm';
import type { Logger } from 'pino';
import type { Authentication } from '../access/authenticate.js';
import type { Caller } from '../access/caller.js';
import type { PaymentDependencies } from '../payments/payment-dependencies.js';
import type { PaymentPubSub } from '../payments/payment-pub-sub.js';

/** What every resolver is given: who asks, and what the actions need. The same over HTTP and WebSocket. */
export interface Context {
  readonly caller: Caller;
  readonly manager: EntityManager;
  readonly payments: PaymentDependencies;
  readonly pubSub: PaymentPubSub;
  readonly authentication: Authentication;
  readonly log: Logger;
}
