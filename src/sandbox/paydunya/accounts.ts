import type { Customer } from './invoice.js';
import { SOMEBODY } from './payer.js';

/** A customer of PayDunya's own wallet who exists in the sandbox alone. */
export interface FictitiousAccount extends Customer {
  readonly password: string;
  /** Whole francs. */
  readonly balance: number;
}

export const FICTITIOUS_ACCOUNTS: readonly FictitiousAccount[] = [
  { ...SOMEBODY, password: 'paydunya', balance: 1_000_000_000 },
  {
    name: 'Koffi Poor',
    phone: '772222222',
    email: 'koffi.poor@example.test',
    password: 'paydunya',
    balance: 100,
  },
];

/** The wallets of the fictitious customers. */
export class Accounts {
  readonly all: readonly FictitiousAccount[];
  readonly #balances: Map<FictitiousAccount, number>;

  constructor(all: readonly FictitiousAccount[]) {
    this.all = all;
    this.#balances = new Map(all.map((account) => [account, account.balance]));
  }

  /** @param alias a phone number or an e-mail address. */
  find(alias: string): FictitiousAccount | undefined {
    return this.all.find(({ phone, email }) => alias === phone || alias === email);
  }

  /** Whole francs. */
  balanceOf(account: FictitiousAccount): number {
    return this.#balances.get(account) ?? 0;
  }

  /** @param amount whole francs; negative for what is taken. */
  add(account: FictitiousAccount, amount: number): void {
    this.#balances.set(account, this.balanceOf(account) + amount);
  }
}
