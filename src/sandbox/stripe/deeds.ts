import type { FaultsByChance } from '../faults.js';
import type { Misbehaviour } from '../misbehaviour.js';
import type { EventOrigin } from './account.js';
import { playTimeForward } from './billing-clock.js';
import { forget, refundInDashboard } from './controls.js';
import {
  appealDispute,
  closeDispute,
  decideDisputeAgain,
  escalateInquiry,
  openDispute,
  reinstateFunds,
  type NewDispute,
} from './disputes.js';
import type { Fault } from './faults.js';
import {
  changeBalance,
  creditInvoice,
  payInvoiceByCharge,
  payInvoiceOutside,
  payPartOfInvoice,
  type CreditBy,
} from './invoice-settlement.js';
import { latestInvoice, voidInvoice } from './invoices.js';
import { deleteCustomerAndSubscriptions } from './subscriptions.js';
import type { DoubleParts } from './observations.js';
import {
  findPayment,
  pay,
  payInvoice,
  paymentResult,
  setUp,
  type PaymentResult,
  type SetupResult,
} from './payer.js';
import { finishAuthentication, lapseAuthorization, settlePayment } from './payments.js';
import { failRefund } from './refunds.js';

/** What a test does to the double: the payer, their bank, a person at Stripe's dashboard, and the network. */
export interface Deeds {
  /**
   * The payer pays in their browser.
   * @param reference `pi_…`, its client secret, or `cs_…`.
   * @param card a test card's number or name, or a saved method of theirs, `pm_…`.
   */
  pay(reference: string, card: string): PaymentResult;
  /** The payer answers their bank. */
  authenticate(paymentIntentId: string, answer: 'complete' | 'fail'): PaymentResult;
  /**
   * The payer gives a card to be saved, and answers their bank if it asks.
   * @param reference `seti_…`, or its client secret.
   * @param card not needed when their bank is asking already.
   */
  completeSetup(reference: string, card?: string): SetupResult;
  /** They cannot prove to their bank who they are. @param card one whose bank asks. */
  failSetup(reference: string, card?: string): SetupResult;
  /** The payer pays a subscription's invoice in their browser. @param reference `in_…`, or `sub_…` for its latest one. */
  payInvoice(reference: string, card: string): PaymentResult;
  /**
   * Somebody at the merchant's charges the customer for a part of an invoice, by a PaymentIntent of its own.
   * @param reference as for `payInvoice`. @param amount in Stripe's units.
   */
  payPartOfInvoice(reference: string, amount: number, card: string): { readonly id: string };
  /** All that remains of an invoice, by a charge of Stripe's older API, which has no PaymentIntent. */
  payInvoiceByCharge(reference: string): { readonly id: string };
  /** An invoice was paid outside of Stripe. @param amount in Stripe's units; all that remains when left out. */
  payInvoiceOutside(reference: string, amount?: number): void;
  /** A credit note: it lowers what is due, and of what is paid already it gives back in the way that is told. */
  creditInvoice(reference: string, amount: number, by?: CreditBy): { readonly id: string };
  voidInvoice(reference: string): void;
  /** From the next invoice on. @param percent 0 to 100. */
  discount(subscriptionId: string, percent: number): void;
  /** @param amount in Stripe's units; negative: the customer's credit, which their next invoice uses up. */
  changeBalance(customerId: string, amount: number): void;
  /** In the dashboard: with all that they had saved, and what they subscribed to. */
  deleteCustomer(customerId: string): void;
  /** The account has it no more, and never says that it had: so it is with the key of another account. */
  forget(id: string): void;
  /**
   * The clock by which subscriptions live goes forward, and all happens that falls into that time: periods end, what
   * they cost is collected, tried again, or given up.
   * @returns what that clock then shows.
   */
  playTimeForward(milliseconds: number): Date;
  /** The bank decides on what is in processing. */
  settle(paymentIntentId: string, decision: 'succeed' | 'fail'): PaymentResult;
  /** Nobody captured what is held, and Stripe lets go of it. */
  lapse(paymentIntentId: string): PaymentResult;
  /** @param amount in Stripe's units; all that is left when left out. */
  refundInDashboard(paymentIntentId: string, amount?: number): { readonly id: string };
  /** The payer's bank sends the money back, also when the refund had succeeded. */
  failRefund(refundId: string): void;
  /** The payer complains to their bank, which takes the money at once unless `withdraw` is false: then it only asks. */
  openDispute(paymentIntentId: string, dispute?: NewDispute): { readonly id: string };
  /**
   * @param reinstate in the charge's units: all that was withdrawn when it is won, nothing when it is lost, unless told;
   * 0 for nothing yet.
   */
  closeDispute(disputeId: string, decision: 'won' | 'lost', reinstate?: number): void;
  /** A dispute that is closed is decided otherwise. */
  decideDisputeAgain(disputeId: string, decision: 'won' | 'lost'): void;
  /** The money of a dispute comes back. @param amount all that is still withdrawn when left out. */
  reinstateFunds(disputeId: string, amount?: number): void;
  /** A lost dispute is open again. */
  appealDispute(disputeId: string): void;
  /** An inquiry becomes a dispute, and the bank takes the money. */
  escalateInquiry(disputeId: string): void;

  /**
   * Something happens in another account or mode, or about an object that this account doesn't have, and is told to the
   * same endpoint and listed. @returns the event's id.
   */
  happenElsewhere(type: string, object: { readonly id: string }, origin?: EventOrigin): string;
  /** Whether events have, from now on, the shapes of an API version of 2020: an endpoint keeps the one it was made with. */
  writeOldEvents(on: boolean): void;

  /** Sends an event (again). */
  deliver(eventId: string): void;
  pauseWebhooks(): void;
  resumeWebhooks(): void;
  /** From now on; with nothing in it, all is well again. */
  misbehave(misbehaviour: Misbehaviour): void;
  answerNext(operation: string, fault: Fault): void;
  /** From now on, a share of the API's requests goes wrong; 0 ends it. */
  faultsByChance(chance: FaultsByChance): void;
  clearFaults(): void;
}

export function deeds({ account, api, webhooks }: DoubleParts): Deeds {
  return {
    pay: (reference, card) => pay(account, reference, card),
    authenticate: (paymentIntentId, answer) => {
      const payment = findPayment(account, paymentIntentId);
      finishAuthentication(account, payment, answer === 'complete');
      return paymentResult(payment);
    },
    completeSetup: (reference, card) => setUp(account, reference, card, true),
    failSetup: (reference, card) => setUp(account, reference, card, false),
    payInvoice: (reference, card) => payInvoice(account, reference, card),
    payPartOfInvoice: (reference, amount, card) =>
      payPartOfInvoice(account, latestInvoice(account, reference), amount, card),
    payInvoiceByCharge: (reference) => payInvoiceByCharge(account, latestInvoice(account, reference)),
    payInvoiceOutside: (reference, amount) =>
      payInvoiceOutside(account, latestInvoice(account, reference), amount),
    creditInvoice: (reference, amount, by = 'REFUND') => {
      const { id } = creditInvoice(account, latestInvoice(account, reference), amount, by);
      return { id };
    },
    voidInvoice: (reference) => voidInvoice(account, latestInvoice(account, reference)),
    discount: (subscriptionId, percent) => {
      account.subscription(subscriptionId).percentOff = percent;
    },
    changeBalance: (customerId, amount) => void changeBalance(account, customerId, amount),
    forget: (id) => forget(account, id),
    deleteCustomer: (customerId) => void deleteCustomerAndSubscriptions(account, customerId),
    playTimeForward: (milliseconds) => playTimeForward(account, milliseconds),
    settle: (paymentIntentId, decision) => {
      const payment = findPayment(account, paymentIntentId);
      settlePayment(account, payment, decision === 'succeed');
      return paymentResult(payment);
    },
    lapse: (paymentIntentId) => {
      const payment = findPayment(account, paymentIntentId);
      lapseAuthorization(account, payment);
      return paymentResult(payment);
    },
    refundInDashboard: (paymentIntentId, amount) => refundInDashboard(account, paymentIntentId, amount),
    failRefund: (refundId) => failRefund(account, refundId),
    openDispute: (paymentIntentId, dispute) => ({ id: openDispute(account, paymentIntentId, dispute).id }),
    closeDispute: (disputeId, decision, reinstate) =>
      void closeDispute(account, disputeId, decision, reinstate),
    decideDisputeAgain: (disputeId, decision) => void decideDisputeAgain(account, disputeId, decision),
    reinstateFunds: (disputeId, amount) => void reinstateFunds(account, disputeId, amount),
    appealDispute: (disputeId) => void appealDispute(account, disputeId),
    escalateInquiry: (disputeId) => void escalateInquiry(account, disputeId),
    happenElsewhere: (type, object, origin) => {
      const id = account.emit(type, object, object.id, undefined, origin);
      if (id === undefined) throw new Error('this double keeps no events');
      return id;
    },
    writeOldEvents: (on) => void (account.writesOldEvents = on),
    deliver: (eventId) => webhooks.send(account.event(eventId)),
    pauseWebhooks: () => webhooks.pause(),
    resumeWebhooks: () => webhooks.resume(),
    misbehave: (misbehaviour) => webhooks.misbehave(misbehaviour),
    answerNext: (operation, fault) => api.faults.add(operation, fault, fault.times ?? 1),
    faultsByChance: (chance) => api.faults.byChance(chance),
    clearFaults: () => api.faults.clear(),
  };
}
