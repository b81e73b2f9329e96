export type JsonObject = Readonly<Record<string, unknown>>;

export type InvoiceStatus = 'pending' | 'completed' | 'cancelled' | 'failed';

/** Where the payer and the notifications go. PayDunya's own names: they are shown as they came. */
export interface InvoiceActions {
  readonly cancel_url?: string;
  readonly return_url?: string;
  readonly callback_url?: string;
}

export interface InvoiceOrder {
  /** Whole francs. */
  readonly totalAmount: number;
  readonly description: string;
  readonly items: JsonObject;
  readonly taxes: JsonObject;
  /** The ways to pay that the page shows; all of them when there is none. */
  readonly channels: readonly string[];
  readonly storeName: string;
  readonly actions: InvoiceActions;
  readonly customData: JsonObject;
}

export interface Customer {
  readonly name: string;
  /** Local, without the country's code. */
  readonly phone: string;
  readonly email: string;
}

export interface InvoicePayment {
  /** Whole francs: the total, or more where the payer bears the fees. */
  readonly amount: number;
  readonly customer: Customer;
  readonly channel: string;
  readonly receiptIdentifier: string;
  readonly providerReference: string;
}

export interface Invoice extends InvoiceOrder {
  readonly token: string;
  readonly createdAt: Date;
  status: InvoiceStatus;
  /** There is one once the invoice is completed, and never another. */
  payment: InvoicePayment | undefined;
  failure: { readonly reason: string; readonly channel: string } | undefined;
}

export const CARD_CHANNEL = 'card';

/** What the merchant calls it: `custom_data.attempt`. */
export function attemptOf({ customData }: InvoiceOrder): string | undefined {
  const attempt = customData['attempt'];
  return typeof attempt === 'string' ? attempt : undefined;
}
