import type { Authentication } from '../access/authenticate.js';
import type { Caller } from '../access/caller.js';
import type { ProvidersHealth } from '../providers/health.js';

/** What resolvers of health are given. */
export interface HealthContext {
  /** Who asks. */
  readonly caller: Caller;
  readonly authentication: Authentication;
  readonly health: ProvidersHealth;
}
