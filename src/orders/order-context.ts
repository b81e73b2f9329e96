import type { EntityManager } from 'typeorm';
import type { Authentication } from '../access/authenticate.js';
import type { Caller } from '../access/caller.js';
import type { OrderLimits } from './order-limits.js';

/** What resolvers of orders are given. */
export interface OrderContext {
  /** Who asks. */
  readonly caller: Caller;
  /** By which they are counted: their IPv4 address, or their IPv6 network. */
  readonly clientAddress: string;
  readonly manager: EntityManager;
  readonly authentication: Authentication;
  /** IANA; in which its days begin. */
  readonly shopTimeZone: string;
  readonly orderLimits: OrderLimits;
}
