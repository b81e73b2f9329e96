import type { LiveStatus } from './live-status.js';
import type { Narrator } from './narrator.js';
import type { ShopApi } from './shop-api.js';

export interface Stage {
  readonly shop: ShopApi;
  readonly stripeUrl: string;
  readonly pawapayUrl: string;
  readonly narrator: Narrator;
}

/** What the summary tells. */
export interface StoryEnd {
  readonly orderStatus: string;
  /** From the payer's press on Pay to PAID on the WebSocket: through the provider, its webhook, and the database. */
  readonly toldAfterMilliseconds: number;
}

export type Story = (stage: Stage) => Promise<StoryEnd>;

/** A payment whose payer has just done the last thing that is theirs to do. */
export interface Pressed {
  readonly live: LiveStatus;
  /** By `performance.now()`. */
  readonly at: number;
}
