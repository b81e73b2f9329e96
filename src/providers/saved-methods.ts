import type { InitiatedAttempt, NextAction, ProviderEvent } from './provider.js';

/** What a provider can do that keeps payers' ways to pay. It has all of these, or none. */
export interface SavedMethodCalls {
  /** Repeating it gives the same customer. @returns the provider's id of them @throws {ProviderFailure} */
  createCustomer?(customer: CustomerToCreate): Promise<string>;

  /** What the payer does to leave a way to pay with the provider, without paying. @throws {ProviderFailure} */
  beginSetup?(setup: SetupToBegin): Promise<NextAction>;

  /** All that the customer can be charged with at this moment. @throws {ProviderFailure} */
  listSavedMethods?(customerReference: string): Promise<readonly SavedCard[]>;

  /** For good: it can't be charged any more. One that is gone already is no failure. @throws {ProviderFailure} */
  detachSavedMethod?(methodReference: string): Promise<void>;

  /**
   * Charges a saved way to pay for an attempt that was initiated for its customer. Repeating it charges nothing twice.
   * The answer is the state afterwards: `declined` also where the payer's bank wants to see the payer first.
   * @throws {ProviderFailure}
   */
  chargeSavedMethod?(attempt: InitiatedAttempt, charge: SavedMethodCharge): Promise<ProviderEvent>;
}

export interface CustomerToCreate {
  /** Ours and opaque, `CUS-…`. */
  readonly reference: string;
  readonly idempotencyKey: string;
  readonly email?: string;
  readonly name?: string;
  /** BCP 47. */
  readonly locale?: string;
}

export interface SetupToBegin {
  readonly customerReference: string;
  /** Ours and opaque, `CUS-…`. */
  readonly customer: string;
  readonly idempotencyKey: string;
}

export interface SavedCard {
  /** The provider's own id of it. */
  readonly methodReference: string;
  /** As the provider writes it: `visa`. */
  readonly brand: string;
  readonly last4: string;
  readonly expiryMonth: number;
  readonly expiryYear: number;
}

export interface SavedMethodCharge {
  readonly customerReference: string;
  readonly methodReference: string;
  /** The payer is not there to answer their bank. */
  readonly offSession: boolean;
}
