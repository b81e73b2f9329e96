import type { FaultsByChance } from '../faults.js';
import type { Misbehaviour } from '../misbehaviour.js';
import type { PendingWork } from '../pending-work.js';
import type { ForgedSignature } from './callback-signature.js';
import { countsOf, type PawaPayCounts } from './counts.js';
import { findDeposit, findRefund, forge, refundByStaff, setOperatorStatus, submitPage } from './deeds.js';
import type { AuthorisationMode } from './deposit-ledger.js';
import type { PawaPayFault, PawaPayOperation } from './faults.js';
import type { OperatorStatus } from './operators.js';
import type { PagePayer } from './page-sessions.js';
import type { PawaPayApi } from './pawapay-api.js';
import { presentDeposit, presentRefund } from './presentation.js';

export interface Forgery {
  /** WRONG unless told. */
  readonly signature?: ForgedSignature;
  /** What it says instead of that the deposit is COMPLETED. */
  readonly body?: Readonly<Record<string, unknown>>;
}

/** What a test does in place of the payer, the operator and bad luck. A deposit goes by its id or `clientReferenceId`. */
export interface PawaPayDoubleControls {
  approve(deposit: string): void;
  /** Money that arrives although the deposit had FAILED: the operator corrects itself. */
  completeLate(deposit: string): void;
  /** @param failureCode PAYMENT_NOT_APPROVED unless told. */
  decline(deposit: string, failureCode?: string): void;
  /** It is IN_RECONCILIATION, until it is approved or declined. */
  reconcile(deposit: string): void;
  /** The payer fills in pawaPay's page. Without a payer, one of the first operator there, whose number waits. */
  submitPage(depositId: string, payer?: Partial<PagePayer>): void;
  /** The same, and approves on the phone. */
  payByPage(depositId: string, payer?: Partial<PagePayer>): void;
  /** In pawaPay's dashboard. @param amount in minor units; all that is left when left out. */
  refundByStaff(deposit: string, amount?: number): { readonly id: string };
  /** From now on refunds stay ENQUEUED until they are settled; `false`: they go their way. */
  holdRefunds(hold?: boolean): void;
  /** @param failureCode of one that fails; UNSPECIFIED_FAILURE unless told. */
  settleRefund(refundId: string, decision: 'complete' | 'fail', failureCode?: string): void;
  /** The callback of a deposit or of a refund as it is now. */
  deliverAgain(depositOrRefund: string): void;
  /** A callback in pawaPay's name about a deposit, known or not. */
  forge(depositId: string, forgery?: Forgery): void;
  setOperatorStatus(operator: string, status: OperatorStatus): void;
  /** When the page of a REDIRECT_AUTH operator is known, from now on. */
  setAuthorisationMode(mode: AuthorisationMode): void;
  /** Signs with a new key, and publishes no other. */
  rotateKey(): void;
  pauseWebhooks(): void;
  resumeWebhooks(): void;
  /** From now on; with nothing in it, all is well again. */
  misbehave(misbehaviour: Misbehaviour): void;
  answerNext(operation: PawaPayOperation, fault: PawaPayFault, times?: number): void;
  /** From now on, a share of the API's requests goes wrong; 0 ends it. */
  faultsByChance(chance: FaultsByChance): void;
  /** When nothing happens by itself any more: no operator thinks, no callback is under way or to be retried. */
  settled(): Promise<void>;
  counts(): PawaPayCounts;
  /** As the API would show it. */
  deposit(deposit: string): object;
  refund(refundId: string): object;
}

type BadLuck =
  'deliverAgain' | 'pauseWebhooks' | 'resumeWebhooks' | 'misbehave' | 'answerNext' | 'faultsByChance';

export function createControls(api: PawaPayApi, work: PendingWork): PawaPayDoubleControls {
  const { deposits, refunds } = api;
  return {
    ...controlsOfBadLuck(api),
    approve: (deposit) => deposits.complete(findDeposit(api, deposit)),
    completeLate: (deposit) => deposits.complete(findDeposit(api, deposit), true),
    decline: (deposit, failureCode = 'PAYMENT_NOT_APPROVED') =>
      deposits.fail(findDeposit(api, deposit), failureCode),
    reconcile: (deposit) => deposits.reconcile(findDeposit(api, deposit)),
    submitPage: (depositId, payer = {}) => void submitPage(api, depositId, payer),
    payByPage: (depositId, payer = {}) => deposits.complete(submitPage(api, depositId, payer)),
    refundByStaff: (deposit, amount) => refundByStaff(api, findDeposit(api, deposit), amount),
    holdRefunds: (hold = true) => refunds.hold(hold),
    settleRefund: (refundId, decision, failureCode = 'UNSPECIFIED_FAILURE') => {
      const refund = findRefund(api, refundId);
      if (decision === 'complete') refunds.complete(refund);
      else refunds.fail(refund, failureCode);
    },
    forge: (depositId, forgery = {}) => forge(api, depositId, forgery),
    setOperatorStatus: (operator, status) => setOperatorStatus(api, operator, status),
    setAuthorisationMode: (mode) => void (deposits.authorisationMode = mode),
    rotateKey: () => api.signer?.rotate(),
    settled: () => work.settled(),
    counts: () => countsOf(api),
    deposit: (deposit) => presentDeposit(findDeposit(api, deposit)),
    refund: (refundId) => presentRefund(findRefund(api, refundId), api.wording),
  };
}

function controlsOfBadLuck(api: PawaPayApi): Pick<PawaPayDoubleControls, BadLuck> {
  const { refunds, callbacks, faults } = api;
  return {
    deliverAgain: (id) => {
      const refund = refunds.find(id);
      if (refund) callbacks.tellOfRefund(refund);
      else callbacks.tellAgain(findDeposit(api, id));
    },
    pauseWebhooks: () => callbacks.pause(),
    resumeWebhooks: () => callbacks.resume(),
    misbehave: (misbehaviour) => callbacks.misbehave(misbehaviour),
    answerNext: (operation, fault, times = 1) => faults.add(operation, fault, times),
    faultsByChance: (chance) => faults.byChance(chance),
  };
}
