import { randomUUID } from 'node:crypto';
import { AuditEntry } from '../src/audit/audit-entry.js';
import { createCustomer } from './support/customers.js';
import { dataOf, startTestApp, type RunningApp } from './support/running-app.js';

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

test('acts on a customer are in the audit log, with who did them and without personal data', async () => {
  const externalId = `user-${randomUUID()}`;
  const input = { externalId, email: 'awa@shop.example', name: 'Awa Diop' };
  const { id } = dataOf(await createCustomer(app, input)).createCustomer;
  dataOf(await createCustomer(app, input));
  const token = dataOf(
    await app.graphql(`mutation { createCustomerToken(customerId: "${id}") }`, {}, app.apiKey),
  ).createCustomerToken;
  const setup = `mutation { setUpPaymentMethod(input: { customerId: "${id}" }) { nextAction { __typename } } }`;
  dataOf(await app.graphql(setup, {}, token));

  const entries = await app.dataSource.manager.find(AuditEntry, {
    where: { subject: id },
    order: { position: 'ASC' },
  });
  const backend = expect.stringMatching(/^backend:/);
  expect(entries).toMatchObject([
    { actor: backend, action: 'customer.created', after: { externalId } },
    { actor: backend, action: 'customer.token_created' },
    { actor: `customer:${id}`, action: 'payment_method.setup_begun' },
  ]);
  expect(JSON.stringify(entries)).not.toMatch(/awa|Diop/i);
});
