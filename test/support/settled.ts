import { expectInvariants } from './invariants.js';
import type { RunningApp } from './running-app.js';

/** Nothing of Stripe's or the bank's is on its way. */
export async function settled(app: RunningApp): Promise<void> {
  await app.stripe.settled();
  await app.bank.settled();
}

/** After each test: nothing is on its way any more, and what must always hold does. */
export async function expectSettled(app: RunningApp): Promise<void> {
  await settled(app);
  await expectInvariants(app.dataSource);
}
