import type { EntityManager } from 'typeorm';
import type { Caller } from '../../access/caller.js';
import type { EndpointSecrets } from './endpoint-secrets.js';

/** What actions on webhooks to the merchant need. */
export interface MerchantWebhooks {
  readonly secrets: EndpointSecrets;
  /** Whether they may go to private addresses, and without TLS: for development. */
  readonly allowPrivate: boolean;
  wakeCourier(): void;
}

/** What their resolvers are given. */
export interface MerchantWebhookContext {
  readonly caller: Caller;
  readonly manager: EntityManager;
  readonly merchantWebhooks: MerchantWebhooks;
}
