import { LimitError } from './limit-error.js';
import type { SocketLimits } from './limits.js';

/** An operation on a socket, from its message until it is over. */
export interface SocketOperation {
  /** A subscription has begun: from now on it is counted among those that last. */
  lasts(): void;
  end(): void;
}

/** Counts the operations of one socket. */
export class SocketOperations {
  private underWay = 0;
  private lasting = 0;

  constructor(private readonly limits: SocketLimits) {}

  /** @throws {LimitError} */
  begin(): SocketOperation {
    const { operationsPerSocket: most } = this.limits;
    if (most > 0 && this.underWay >= most) {
      throw new LimitError(
        'RATE_LIMITED',
        `This WebSocket has ${most} operations under way, and more are not taken. Wait for an answer first.`,
        1,
      );
    }
    this.underWay += 1;
    let counted: 'underWay' | 'lasting' | null = 'underWay';
    return {
      lasts: () => {
        if (counted !== 'underWay') return;
        this.underWay -= 1;
        this.lasting += 1;
        counted = 'lasting';
      },
      end: () => {
        if (counted) this[counted] -= 1;
        counted = null;
      },
    };
  }

  /** Before a subscription begins. @throws {LimitError} */
  admitSubscription(): void {
    const { subscriptionsPerSocket: most } = this.limits;
    // Those that begin at this moment are counted as well: else a burst of them would pass.
    if (most === 0 || this.lasting + this.underWay <= most) return;
    throw new LimitError(
      'RATE_LIMITED',
      `This WebSocket has ${most} subscriptions, and more are not taken. End one, or open another WebSocket.`,
      1,
    );
  }
}
