import type { LiveStatus } from './live-status.js';
import type { MerchantApi } from './merchant-api.js';
import type { Narrator } from './narrator.js';
import type { ShopApi } from './shop-api.js';

export interface Stage {
  readonly shop: ShopApi;
  readonly merchant: MerchantApi;
  readonly stripeUrl: string;
  readonly pawapayUrl: string;
  /** The server's. */
  readonly dataFolder: string;
  readonly narrator: Narrator;
  /** What has to be put away, also when the demo is interrupted: the last one first. */
  atTheEnd(putAway: () => Promise<void>): void;
}

/** What the summary tells. */
export interface StoryEnd {
  readonly orderStatus: string;
  /** From the payer's press on Pay to PAID on the WebSocket: through the provider, its webhook, and the database. */
  readonly toldAfterMilliseconds: number;
  /** What was special about it. */
  readonly remark?: string;
}

export type Story = (stage: Stage) => Promise<StoryEnd>;

/** A payment whose payer has just done the last thing that is theirs to do. */
export interface Pressed {
  readonly live: LiveStatus;
  /** By `performance.now()`. */
  readonly at: number;
}
