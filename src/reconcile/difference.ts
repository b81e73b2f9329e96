/** In the order in which they are printed. */
export const DIFFERENCE_TYPES = [
  'MISSING_HERE',
  'MISSING_THERE',
  'AMOUNT',
  'STATUS',
  'DISPUTE',
  'DOUBLE',
] as const;
export type DifferenceType = (typeof DIFFERENCE_TYPES)[number];

export const MEANINGS: Readonly<Record<DifferenceType, string>> = {
  MISSING_HERE: 'money at the provider that is not in our books',
  MISSING_THERE: 'money in our books that the provider does not know',
  AMOUNT: 'the same payment, and other totals',
  STATUS: 'one side says that money moved, the other that it ended without',
  DISPUTE: 'a dispute that is not known here, or stands otherwise',
  DOUBLE: 'money that was taken more than once for one order, and not given back',
};

/**
 * Asking the provider and applying what it says can't do harm here. Money that it doesn't know of, or that came twice,
 * is a person's to decide about.
 */
export const SAFE_TO_REPAIR: Readonly<Record<DifferenceType, boolean>> = {
  MISSING_HERE: true,
  MISSING_THERE: false,
  AMOUNT: true,
  STATUS: true,
  DISPUTE: true,
  DOUBLE: false,
};

/** Something in which our books and a provider's don't agree. */
export interface Difference {
  readonly type: DifferenceType;
  readonly provider: string;
  /** `TXN-…-1`; of MISSING_HERE it may be one that we don't know. */
  readonly attemptReference: string;
  /** The provider's id of the money; its id of the attempt where there is no money. */
  readonly providerReference: string;
  /** Null when the attempt is not in our books. */
  readonly orderReference: string | null;
  /** Both sides, in a few words. */
  readonly description: string;
  /** When the provider's payment was opened, or else when ours was. */
  readonly at: Date;
}
