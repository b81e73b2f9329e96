/**
 * Something of ours at a provider that is no payment. A notification only says that it has changed: how it stands is
 * asked for, so that notifications may come late, twice and in any order.
 */
export type Concern =
  /** The ways to pay that a customer has left with the provider. */
  | {
      readonly kind: 'savedMethods';
      /** The provider's id of the customer; of a way to pay that is gone, perhaps only its own is known. */
      readonly customerReference?: string;
      readonly methodReference?: string;
    }
  /** A recurring subscription. */
  | { readonly kind: 'subscription'; readonly providerReference: string }
  /** One collection of a recurring subscription. */
  | {
      readonly kind: 'invoice';
      readonly invoiceReference: string;
      /** The provider's id of the subscription, where the notification names it. */
      readonly providerReference?: string;
    }
  /** A customer whom the provider has deleted, with all that they had saved. */
  | { readonly kind: 'deletedCustomer'; readonly customerReference: string };
