import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { checkEntries, checkPaymentEnds, type AuditFault } from '../src/audit/audit-faults.js';
import { AuditEntry } from '../src/audit/audit-entry.js';
import { untilStatus } from './support/books.js';
import { BANK, notify, STRIPE, type OpenPayment } from './support/notifying-provider.js';
import { cancelOrder, cancelPayment, changeQuantity, updatePayment } from './support/payment-calls.js';
import { buildProduct, type BuiltProduct } from './support/program.js';
import { codeOf, dataOf, SECRET, startTestApp, type RunningApp } from './support/running-app.js';

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

function entriesOf(subject: string): Promise<AuditEntry[]> {
  return app.dataSource.manager.find(AuditEntry, { where: { subject }, order: { position: 'ASC' } });
}

async function faults(pageSize = 3, manager = app.dataSource.manager): Promise<AuditFault[]> {
  const found: AuditFault[] = [];
  for await (const page of checkEntries(manager, pageSize)) found.push(...page.faults);
  for await (const page of checkPaymentEnds(manager, pageSize)) found.push(...page.faults);
  return found;
}

/** Does what nobody should be able to, says what is found then, and undoes it. */
async function faultsAfter(work: (manager: EntityManager) => Promise<unknown>): Promise<AuditFault[]> {
  const runner = app.dataSource.createQueryRunner();
  await runner.startTransaction();
  try {
    await withoutTriggers(runner.manager, work);
    return await faults(3, runner.manager);
  } finally {
    await runner.rollbackTransaction();
    await runner.release();
  }
}

async function withoutTriggers(
  manager: EntityManager,
  work: (manager: EntityManager) => Promise<unknown>,
): Promise<void> {
  await manager.query('ALTER TABLE audit_log DISABLE TRIGGER audit_log_append_only');
  await work(manager);
  await manager.query('ALTER TABLE audit_log ENABLE TRIGGER audit_log_append_only');
}

async function paidPayment(): Promise<OpenPayment> {
  const payment = await BANK.open(app);
  await notify(app, BANK, BANK.paid(payment));
  await untilStatus(app, payment.id, 'PAID');
  return payment;
}

async function refund(payment: OpenPayment, amount: number): Promise<void> {
  const mutation = 'mutation ($input: RefundPaymentInput!) { refundPayment(input: $input) { id } }';
  const input = { paymentIntentId: payment.id, amount, idempotencyKey: randomUUID() };
  dataOf(await app.graphql(mutation, { input }, app.operatorToken));
}

describe('a log that is as it was written', () => {
  test('names who did what, and what it was before and after', async () => {
    const payment = await paidPayment();

    const entries = await entriesOf(payment.id);

    expect(entries.map(({ position, actor, action }) => [position, actor, action])).toEqual([
      [1, `payer:${payment.orderId}`, 'payment.opened'],
      [2, 'provider:bank-x', 'money.moved'],
      [3, 'provider:bank-x', 'payment.status'],
    ]);
    expect(entries[2]).toMatchObject({
      before: { status: 'PENDING', version: 1, capturedAmount: 1_500 },
      after: { status: 'PAID', version: 2, capturedAmount: 1_500 },
      previousHash: entries[1]!.hash,
    });
  });

  test('is found whole after everything that can happen to payments and orders', async () => {
    const refunded = await paidPayment();
    await refund(refunded, 500);
    const odd = await STRIPE.open(app);
    await notify(app, STRIPE, STRIPE.paid(odd, { amount: 1_499 }));
    await untilStatus(app, odd.id, 'REVIEW');
    const changed = await STRIPE.open(app);
    await changeQuantity(app, changed.orderId, changed.token, changed.sku, 2);
    dataOf(await updatePayment(app, changed.id, changed.token));
    dataOf(await cancelPayment(app, changed.id, changed.token));
    dataOf(await cancelOrder(app, changed.orderId, changed.token));

    expect(await faults()).toEqual([]);
    expect(await faults(1)).toEqual([]);
  });

  test('has an entry for each version of a payment, also where money moved and the status stayed', async () => {
    const payment = await paidPayment();
    await notify(app, BANK, BANK.paid(payment, { movement: `tr_second_${payment.id}` }));

    const entries = await entriesOf(payment.id);

    const told = entries.filter(({ action }) => /^payment\.(opened|status|told)$/.test(action));
    expect(told.map(({ after }) => (after as { version: number }).version)).toEqual([1, 2, 3]);
    expect(told.at(-1)).toMatchObject({ action: 'payment.told', after: { capturedAmount: 3_000 } });
  });
});

describe('acts outside of payments', () => {
  test('a new order token, a changed and a cancelled order are in the log, with who did it', async () => {
    const { sku } = await app.addProduct();
    const { orderId, token } = await app.order(sku);
    dataOf(await app.graphql(`mutation { createOrderToken(orderId: "${orderId}") }`, {}, app.apiKey));
    await changeQuantity(app, orderId, app.operatorToken, sku, 3);
    expect(codeOf(await cancelOrder(app, orderId, token))).toBe('FORBIDDEN');
    dataOf(await cancelOrder(app, orderId, app.apiKey));

    expect(await entriesOf(orderId)).toMatchObject([
      { actor: expect.stringMatching(/^backend:/), action: 'order.token_created' },
      {
        actor: 'operator:olga',
        action: 'order.updated',
        before: { amount: 1_500, writtenBy: 'PAYER' },
        after: { amount: 4_500, lines: [{ sku, quantity: 3 }], writtenBy: 'MERCHANT' },
      },
      {
        actor: expect.stringMatching(/^backend:/),
        action: 'order.cancelled',
        after: { status: 'CANCELLED' },
      },
    ]);
  });

  test('acts on one order at once are written one after the other', async () => {
    const { orderId } = await app.order((await app.addProduct()).sku);
    const mutation = `mutation { createOrderToken(orderId: "${orderId}") }`;
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => app.graphql(mutation, {}, app.apiKey)),
    );
    expect(answers.filter(({ errors }) => errors)).toEqual([]);
    expect((await entriesOf(orderId)).map(({ position }) => position)).toEqual(
      Array.from({ length: 12 }, (_, index) => index + 1),
    );
  });

  test('an API key that is made is in the log, without the key', async () => {
    const [entry] = await app.dataSource.manager.findBy(AuditEntry, { action: 'api_key.created' });
    expect(entry).toMatchObject({ subject: expect.stringMatching(/^api-key:/), after: { name: 'tests' } });
    expect(JSON.stringify(entry)).not.toContain(app.apiKey);
  });
});

describe('the database refuses', () => {
  test.each([
    ['to change an entry', `UPDATE audit_log SET actor = 'nobody'`],
    ['to delete an entry', 'DELETE FROM audit_log'],
    ['to empty the log', 'TRUNCATE audit_log'],
  ])('%s', async (_what, sql) => {
    await expect(app.dataSource.query(sql)).rejects.toThrow('never changed or deleted');
  });
});

describe('behind the database’s back', () => {
  let payment: OpenPayment;
  beforeAll(async () => {
    payment = await paidPayment();
    expect(await faults()).toEqual([]);
  });

  const change = (sql: string, ...values: unknown[]) =>
    faultsAfter((manager) => manager.query(sql, [payment.id, ...values]));

  test.each([
    ['actor', `'operator:somebody else'`],
    ['after', `jsonb_set(after, '{capturedAmount}', '1')`],
    ['reason', `'another'`],
    ['created_at', `created_at - interval '1 hour'`],
    ['before', 'NULL'],
  ])('an entry whose %s is altered is found', async (column, value) => {
    const found = await change(
      `UPDATE audit_log SET ${column} = ${value} WHERE subject = $1 AND position = 2`,
    );
    expect(found).toEqual([
      { subject: payment.id, position: 2, fault: expect.stringContaining('was altered') },
    ]);
  });

  test('an entry that is altered with a fitting hash is found by the next one', async () => {
    const found = await faultsAfter(async (manager) => {
      const where = 'WHERE subject = $1 AND position = 2';
      await manager.query(`UPDATE audit_log SET actor = 'operator:x' ${where}`, [payment.id]);
      await manager.query(`UPDATE audit_log a SET hash = audit_hash(a) ${where}`, [payment.id]);
    });
    expect(found).toEqual([
      { subject: payment.id, position: 3, fault: expect.stringContaining('does not follow') },
    ]);
  });

  test.each([
    ['first', 1, 2, 'missing'],
    ['middle', 2, 3, 'missing'],
    ['last', 3, null, 'ends with PENDING at version 1, and the payment is PAID at version 2'],
  ] as const)('a %s entry that is removed is found', async (_which, removed, position, fault) => {
    const found = await change('DELETE FROM audit_log WHERE subject = $1 AND position = $2', removed);
    expect(found).toEqual([{ subject: payment.id, position, fault: expect.stringContaining(fault) }]);
  });

  test('a whole log that is removed is found', async () => {
    expect(await change('DELETE FROM audit_log WHERE subject = $1')).toEqual([
      { subject: payment.id, position: null, fault: expect.stringContaining('ends with nothing') },
    ]);
  });

  test('two entries that change places are found', async () => {
    const found = await faultsAfter(async (manager) => {
      const move = (from: number, to: number) =>
        manager.query('UPDATE audit_log SET position = $3 WHERE subject = $1 AND position = $2', [
          payment.id,
          from,
          to,
        ]);
      await move(2, 99);
      await move(3, 2);
      await move(99, 3);
    });
    expect(found).toMatchObject([
      { position: 2, fault: expect.stringContaining('was altered') },
      { position: 3, fault: expect.stringContaining('was altered') },
      { position: null, fault: expect.stringContaining('ends with PENDING') },
    ]);
  });

  test('the last entry of a refund that is removed is found, though the payment stands as it stood', async () => {
    const refunded = await BANK.open(app);
    app.bank.pay(refunded.attemptReference);
    await untilStatus(app, refunded.id, 'PAID');
    app.bank.holdRefunds(true);
    await refund(refunded, 500);
    app.bank.holdRefunds(false);
    const found = await faultsAfter((manager) =>
      manager.query(`DELETE FROM audit_log WHERE subject = $1 AND action = 'refund.submitted'`, [
        refunded.id,
      ]),
    );
    expect(found).toEqual([
      {
        subject: refunded.id,
        position: null,
        fault: expect.stringMatching(/^has no entry that refund RFD-\S+ is SUBMITTED$/),
      },
    ]);
  });

  test('a payment that is altered itself is found', async () => {
    const found = await change('UPDATE payment_intent SET version = version + 1 WHERE reference = $1');
    expect(found).toMatchObject([
      { subject: payment.id, fault: expect.stringContaining('the payment was altered') },
    ]);
  });
});

describe('npm run audit:verify', () => {
  let product: BuiltProduct;
  beforeAll(async () => {
    product = await buildProduct();
  });
  afterAll(() => product.remove());

  async function verify(given: string[] = []): Promise<{ code: number | null; output: string }> {
    const environment = { DATABASE_URL: app.databaseUrl, QUITTANCE_SECRET: SECRET };
    const program = product.start('audit/verify-audit-log.js', { arguments: given, environment });
    return { code: await program.ended(), output: program.output };
  }

  test('says what it found with exit code 1, and no stack', async () => {
    const payment = await paidPayment();
    const whole = await verify();
    expect(whole).toMatchObject({
      code: 0,
      output: expect.stringMatching(/is whole: \d+ entries, .* \d+ payments/),
    });
    const sql = `UPDATE audit_log SET actor = 'nobody' WHERE subject = $1 AND position = 1`;
    await app.dataSource.transaction((transaction) =>
      withoutTriggers(transaction, (manager) => manager.query(sql, [payment.id])),
    );
    const { code, output } = await verify();
    expect(code).toBe(1);
    expect(output).toContain(`${payment.id}, entry 1: was altered`);
    expect(output).not.toMatch(/\n {4}at /);
  });

  test('says what it can’t understand', async () => {
    expect(await verify(['--fast'])).toMatchObject({ code: 1, output: expect.stringContaining('--fast') });
  });
});
