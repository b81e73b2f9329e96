import type { FaultPlan } from '../faults.js';
import type { HttpFault } from '../http-fault.js';
import type { Accounts } from './accounts.js';
import type { Dialect } from './dialect.js';
import type { FaultsOfAmounts } from './faults-of-amounts.js';
import type { Invoice } from './invoice.js';
import type { InvoiceLedger } from './invoice-ledger.js';
import type { PayDunyaOperation } from './operations.js';
import type { Payer } from './payer.js';
import type { Phone } from './phone.js';

export interface PayDunyaKeys {
  readonly masterKey: string;
  readonly privateKey: string;
  readonly token: string;
}

/** One merchant's account, with all that PayDunya knows of it. */
export interface PayDunyaAccount {
  readonly keys: PayDunyaKeys;
  readonly mode: 'test' | 'live';
  readonly ledger: InvoiceLedger;
  readonly payer: Payer;
  readonly phone: Phone;
  readonly accounts: Accounts;
  readonly faults: FaultPlan<PayDunyaOperation, HttpFault>;
  readonly faultsOfAmounts: FaultsOfAmounts;
  readonly requests: Record<PayDunyaOperation, number>;
  readonly urls: PayDunyaUrls;
  /** Operators whose country was taken away from the merchant, by their paths. */
  readonly withdrawn: Set<string>;
  /** Whether SoftPay's operators answer: those of the real sandbox do not. */
  readonly simulatesOperators: boolean;
  /** How long PayDunya waits for whoever has to consent while it does. */
  readonly approvalWindowMilliseconds: number;
  readonly log: (line: string) => void;
  dialect: Dialect;
}

/** Where people go. */
export interface PayDunyaUrls {
  readonly invoice: (invoice: Invoice) => string;
  readonly receipt: (invoice: Invoice) => string;
  /** @param promptId of the question that the page asks. */
  readonly wallet: (promptId: string) => string;
}
