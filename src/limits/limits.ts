/** How much is served to one client, and to all. Each number has a variable of its own; 0 is no limit. */
export interface Limits {
  readonly sockets: SocketLimits;
}

export interface SocketLimits {
  /** WebSockets that one address has open. */
  readonly perAddress: number;
  /** Queries and mutations under way on one socket, and subscriptions that begin. */
  readonly operationsPerSocket: number;
  /** Subscriptions that last, on one socket. */
  readonly subscriptionsPerSocket: number;
}

/** A shop's page watches one payment and asks one thing after the other; a merchant's dashboard some dozens. */
export const DEFAULT_LIMITS: Limits = {
  sockets: { perAddress: 100, operationsPerSocket: 20, subscriptionsPerSocket: 100 },
};

/** For tests of something else, and for measurements. */
export const NO_LIMITS: Limits = {
  sockets: { perAddress: 0, operationsPerSocket: 0, subscriptionsPerSocket: 0 },
};
