import type { FaultsByChance } from '../faults.js';
import { HttpProblem } from '../http-exchange.js';
import type { HttpFault } from '../http-fault.js';
import type { Misbehaviour } from '../misbehaviour.js';
import type { WebhookCounts } from '../webhook-sender.js';
import type { BankApi } from './bank-api.js';
import type { BankPayment } from './bank-ledger.js';
import type { BankNotifications } from './bank-notifications.js';
import type { BankOperation } from './faults.js';
import { presentPayment } from './presentation.js';
import { givenBack, refundableAmount } from './refund-ledger.js';
import type { BankWriting } from './writing.js';

export interface BankCounts {
  readonly requests: Readonly<Record<BankOperation, number>>;
  readonly payments: number;
  readonly charges: number;
  readonly chargesByReference: Readonly<Record<string, number>>;
  /** Made in all, by whomever, those that were rejected left out. */
  readonly refunds: number;
  /** Minor units that were given back, by the payment's reference, where any were. */
  readonly refundedByReference: Readonly<Record<string, number>>;
  readonly webhooks: WebhookCounts;
}

/** Money that moved at the bank, for tests that compare books. */
export interface BankMovement {
  /** The merchant's reference of the payment. */
  readonly payment: string;
  readonly kind: 'CAPTURE' | 'REFUND';
  /** Minor units. */
  readonly amount: number;
  /** The bank's id of the transfer, or of the refund. */
  readonly reference: string;
}

/** What a test does in place of the payer, the bank and bad luck. */
export interface BankDoubleControls {
  pay(idOrReference: string): void;
  /** Money that arrives although the payment is over: cancelled, rejected, or expired. */
  payLate(idOrReference: string): void;
  authorise(idOrReference: string): void;
  decline(idOrReference: string): void;
  cancel(idOrReference: string): void;
  /**
   * The bank's own staff gives money back, so the refund has no reference of the merchant's.
   * @param amount in minor units; all that is left when left out.
   */
  refundAtBank(idOrReference: string, amount?: number): { readonly id: string };
  /** From now on refunds stay PENDING until they are settled; `false`: they are booked at once again. */
  holdRefunds(hold?: boolean): void;
  /** A booked one may still be rejected: the transfer came back. @param idOrReference the refund's. */
  settleRefund(idOrReference: string, decision: 'book' | 'reject'): void;
  /** The last notification of a payment or of a refund once more, with the same event id. */
  deliverAgain(idOrReference: string): void;
  pauseWebhooks(): void;
  resumeWebhooks(): void;
  /** From now on, in answers and notifications; with nothing in it, the bank keeps to its contract again. */
  write(writing: BankWriting): void;
  /** From now on; with nothing in it, all is well again. */
  misbehave(misbehaviour: Misbehaviour): void;
  answerNext(operation: BankOperation, fault: HttpFault, times?: number): void;
  /** From now on, a share of the API's requests goes wrong; 0 ends it. */
  faultsByChance(chance: FaultsByChance): void;
  /** When no notification is under way or to be retried. */
  settled(): Promise<void>;
  counts(): BankCounts;
  /** Its books: every transfer, and every refund that is booked. */
  movements(): BankMovement[];
  /** As the API would show it. */
  payment(idOrReference: string): object;
}

export function createControls(api: BankApi, notifications: BankNotifications): BankDoubleControls {
  const { ledger, refunds, faults } = api;
  const find = (idOrReference: string): BankPayment => {
    const payment = ledger.find(idOrReference);
    if (!payment) throw new HttpProblem(404, `no_such_payment: ${idOrReference}`);
    return payment;
  };
  return {
    pay: (idOrReference) => ledger.pay(find(idOrReference)),
    payLate: (idOrReference) => ledger.pay(find(idOrReference), true),
    authorise: (idOrReference) => ledger.authorise(find(idOrReference)),
    decline: (idOrReference) => ledger.decline(find(idOrReference)),
    cancel: (idOrReference) => ledger.cancel(find(idOrReference)),
    refundAtBank: (idOrReference, amount) => refundAtBank(api, find(idOrReference), amount),
    holdRefunds: (hold = true) => void (refunds.held = hold),
    settleRefund: (idOrReference, decision) => settleRefund(api, idOrReference, decision),
    deliverAgain: (idOrReference) =>
      notifications.tellAgain(refunds.find(idOrReference) ?? find(idOrReference)),
    pauseWebhooks: () => notifications.pause(),
    resumeWebhooks: () => notifications.resume(),
    write: (writing) => api.hand.change(writing),
    misbehave: (misbehaviour) => notifications.misbehave(misbehaviour),
    answerNext: (operation, fault, times = 1) => faults.add(operation, fault, times),
    faultsByChance: (chance) => faults.byChance(chance),
    settled: () => notifications.settled(),
    counts: () => countsOf(api, notifications),
    movements: () => ledger.all().flatMap(movementsOf),
    payment: (idOrReference) => {
      const payment = find(idOrReference);
      return presentPayment(payment, api.paymentUrl(payment));
    },
  };
}

function movementsOf({
  reference: payment,
  transferId,
  charges,
  amount,
  refunds,
}: BankPayment): BankMovement[] {
  if (transferId === undefined) return [];
  const givenBack = refunds.filter(({ status }) => status === 'BOOKED');
  return [
    { payment, kind: 'CAPTURE', amount: charges * amount, reference: transferId },
    ...givenBack.map(({ id, amount: refunded }) => ({
      ...{ payment, kind: 'REFUND' as const, amount: refunded, reference: id },
    })),
  ];
}

function refundAtBank({ refunds }: BankApi, payment: BankPayment, amount?: number): { id: string } {
  const order = { reference: undefined, amount: amount ?? refundableAmount(payment) };
  if (!Number.isSafeInteger(order.amount) || order.amount <= 0) throw new HttpProblem(422, 'bad_amount');
  const result = refunds.create(payment, order);
  if (result.kind === 'refused') throw new HttpProblem(409, result.code);
  return { id: result.refund.id };
}

function settleRefund({ refunds }: BankApi, idOrReference: string, decision: 'book' | 'reject'): void {
  const known = refunds.settle(idOrReference, decision);
  if (!known) throw new HttpProblem(404, `no_such_refund: ${idOrReference}`);
}

function countsOf({ ledger, refunds, requests }: BankApi, notifications: BankNotifications): BankCounts {
  return {
    requests: { ...requests },
    ...ledger.counts,
    chargesByReference: ledger.chargesByReference(),
    refunds: refunds.count,
    refundedByReference: Object.fromEntries(
      ledger
        .all()
        .map((payment) => [payment.reference, givenBack(payment)] as const)
        .filter(([, amount]) => amount > 0),
    ),
    webhooks: notifications.counts,
  };
}
