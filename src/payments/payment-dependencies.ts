import type { Logger } from 'pino';
import type { DigestClient } from '../access/client-digest.js';
import type { HoldLimits } from '../limits/limits.js';
import type { OrderLimits } from '../orders/order-limits.js';
import type { Provider } from '../providers/provider.js';
import type { Routing } from '../providers/routing.js';
import type { RefundLimits } from './refund-limits.js';
import type { NextActionSeal } from './sealed-next-action.js';

/** What the actions on payments need beside the database. Wired once, in `app.ts`. */
export interface PaymentDependencies {
  /** In the order in which they are offered to payers where no rule says otherwise. */
  readonly providers: ReadonlyMap<string, Provider>;
  readonly routing: Routing;
  readonly seal: NextActionSeal;
  /** How long stock is held while the payer pays. */
  readonly reservationMilliseconds: number;
  /** Whether payers may be sent back to this URL. */
  readonly mayReturnTo: (url: URL) => boolean;
  readonly digestClient: DigestClient;
  /** Of one address, and of one customer; 0: any number. */
  readonly declinesPerHour: number;
  readonly refundLimits: RefundLimits;
  readonly orderLimits: OrderLimits;
  readonly holdLimits: HoldLimits;
  /** How often one phone number can be asked within an hour; 0: as often as anybody likes, and for backends. */
  readonly phonePromptsPerHour: number;
  /** Tells the relay that there is something to tell. Cheap, and may be called too often. */
  readonly wakeRelay: () => void;
  readonly log: Logger;
  /** Who acts, for the audit log: a caller's name, `provider:…` or `job:…`. */
  readonly actor: string;
}
