import type Stripe from 'stripe';
import { newId, now, type PaymentRecord, type StripeAccount } from './account.js';
import { addPaymentIntent } from './payment-intents.js';
import type { Decline } from './test-cards.js';

/** One try to take the money of a PaymentIntent: it worked, or was declined. */
export function recordCharge(
  account: StripeAccount,
  payment: PaymentRecord,
  decline?: Decline,
): Stripe.Charge {
  const charge = newCharge(payment, decline);
  account.charges.set(charge.id, charge);
  account.chargeCounts[charge.status === 'succeeded' ? 'succeeded' : 'failed'] += 1;
  return charge;
}

/** Taken by Stripe's older API: it has no PaymentIntent. @param amount in Stripe's units. */
export function recordOldCharge(
  account: StripeAccount,
  customerId: string,
  amount: number,
  currency: string,
): Stripe.Charge {
  const { object } = addPaymentIntent(account, {
    ...{ amount, currency, description: null, metadata: {}, captureMethod: 'automatic_async', customerId },
    automaticMethods: null,
  });
  account.payments.delete(object.id);
  const charge = recordCharge(account, { object });
  charge.payment_intent = null;
  account.emit('charge.succeeded', charge, charge.id);
  return charge;
}

function newCharge({ object, method }: PaymentRecord, decline: Decline | undefined): Stripe.Charge {
  const paid = decline === undefined;
  return {
    id: newId('ch'),
    object: 'charge',
    amount: object.amount,
    amount_captured: paid ? object.amount : 0,
    amount_refunded: 0,
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: null,
    billing_details: { address: null, email: null, name: null, phone: null, tax_id: null },
    calculated_statement_descriptor: null,
    captured: paid,
    created: now(),
    currency: object.currency,
    customer: object.customer,
    description: object.description,
    disputed: false,
    failure_balance_transaction: null,
    failure_code: decline?.code ?? null,
    failure_message: decline?.message ?? null,
    fraud_details: {},
    livemode: false,
    // A copy: Stripe takes the PaymentIntent's metadata along once, when it charges.
    metadata: { ...object.metadata },
    on_behalf_of: null,
    outcome: null,
    paid,
    payment_intent: object.id,
    payment_method: typeof object.payment_method === 'string' ? object.payment_method : null,
    payment_method_details: {
      type: 'card',
      card: { brand: method?.card.brand ?? null, last4: method?.card.number.slice(-4) ?? null },
    } as Stripe.Charge.PaymentMethodDetails,
    receipt_email: object.receipt_email,
    receipt_number: null,
    receipt_url: null,
    refunded: false,
    review: null,
    shipping: null,
    source: null,
    source_transfer: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: paid ? 'succeeded' : 'failed',
    transfer_data: null,
    transfer_group: null,
  };
}

/** The double never expands it in its own books. Of a charge without one, its own id. */
export function paymentIntentIdOf({ id, payment_intent: paymentIntent }: Stripe.Charge): string {
  if (paymentIntent === null) return id;
  if (typeof paymentIntent !== 'string')
    throw new Error('a charge of the double has its PaymentIntent as an id');
  return paymentIntent;
}
