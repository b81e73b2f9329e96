/** How much is served to one client, and to all. Each number has a variable of its own; 0 is no limit. */
export interface Limits {
  /** Of GraphQL, of all clients together: more wait their turn for a moment. */
  readonly operationsAtOnce: number;
  /** Cards that may be declined in an hour, for payments from one address and of one customer. */
  readonly declinesPerHour: number;
  readonly sockets: SocketLimits;
  readonly holds: HoldLimits;
  readonly perMinute: Readonly<Record<RateLimitName, number>>;
}

export interface SocketLimits {
  /** WebSockets that one address has open. */
  readonly perAddress: number;
  /** Queries and mutations under way on one socket, and subscriptions that begin. */
  readonly operationsPerSocket: number;
  /** Subscriptions that last, on one socket. */
  readonly subscriptionsPerSocket: number;
}

/** What payers hold without having paid, from one address or of one customer. */
export interface HoldLimits {
  /** Orders whose stock or places are held. */
  readonly atOnce: number;
  /** Of a product's stock, or of its places on a day, in percent; one piece always. */
  readonly sharePercent: number;
  /** How often one product is held within 24 hours and not paid. */
  readonly perDay: number;
}

/** What is counted by the minute, and of whom. */
export type RateLimitName =
  /** createOrder, by address. */
  | 'ordersPerAddress'
  /** createPaymentIntent, by order. */
  | 'paymentsPerOrder'
  /** createPaymentIntent, by address. */
  | 'paymentsPerAddress'
  /** verifyPaymentIntent, by order. */
  | 'verifiesPerOrder'
  /** Tokens that are not good, by address. */
  | 'badTokensPerAddress'
  /** Notifications that prove nothing, and other requests to webhook addresses that are refused, by address. */
  | 'refusedWebhooksPerAddress'
  /** The prices of operations of callers without an API key, by address. */
  | 'costPerAddress'
  /** Operations, by API key. */
  | 'operationsPerApiKey';

/** A shop's page watches one payment and asks one thing after the other; a merchant's dashboard some dozens. */
export const DEFAULT_LIMITS: Limits = {
  // Four for each connection to the database: it is kept busy, and what runs is done within a tenth of a second.
  operationsAtOnce: 64,
  declinesPerHour: 10,
  sockets: { perAddress: 100, operationsPerSocket: 20, subscriptionsPerSocket: 100 },
  // Many payers of a mobile network have one address: five in half an hour who leave without paying are still let in.
  holds: { atOnce: 5, sharePercent: 25, perDay: 10 },
  perMinute: {
    ordersPerAddress: 20,
    paymentsPerOrder: 10,
    paymentsPerAddress: 30,
    verifiesPerOrder: 30,
    badTokensPerAddress: 20,
    refusedWebhooksPerAddress: 60,
    // The catalogue of a shop with 200 products is 2,000, a calendar of a month 70.
    costPerAddress: 100_000,
    operationsPerApiKey: 1_000,
  },
};

/** For tests of something else, and for measurements. */
export const NO_LIMITS: Limits = {
  operationsAtOnce: 0,
  declinesPerHour: 0,
  sockets: { perAddress: 0, operationsPerSocket: 0, subscriptionsPerSocket: 0 },
  holds: { atOnce: 0, sharePercent: 0, perDay: 0 },
  perMinute: {
    ordersPerAddress: 0,
    paymentsPerOrder: 0,
    paymentsPerAddress: 0,
    verifiesPerOrder: 0,
    badTokensPerAddress: 0,
    refusedWebhooksPerAddress: 0,
    costPerAddress: 0,
    operationsPerApiKey: 0,
  },
};
