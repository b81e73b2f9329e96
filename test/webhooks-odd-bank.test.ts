import { createHmac } from 'node:crypto';
import { createBankProvider } from '../src/providers/bank/bank-provider.js';
import { storedEvents } from './support/books.js';
import { BANK, newEventId, notify, type NotifyingProvider } from './support/notifying-provider.js';
import { BANK_WEBHOOK_SECRET, startTestApp, type RunningApp } from './support/running-app.js';
import { eventually } from './support/eventually.js';

/** A bank that signs the body alone, in a header whose name doesn't say so. */
const ODD_BANK: NotifyingProvider = {
  ...BANK,
  signatureHeader: 'x-auth',
  sign: (body) => ({ 'x-auth': createHmac('sha256', BANK_WEBHOOK_SECRET).update(body).digest('hex') }),
};

let app: RunningApp;
beforeAll(async () => {
  const bank = createBankProvider({
    name: 'bank-x',
    baseUrl: new URL('http://127.0.0.1:9'),
    apiKey: 'never-used',
    webhookSecrets: [BANK_WEBHOOK_SECRET],
    notification: {
      signature: { header: 'X-Auth', encoding: 'hex', prefix: '', message: { form: 'body' } },
    },
  });
  app = await startTestApp({ providers: [bank] });
});
afterAll(() => app.stop());

// Only headers whose names look like a signature's are kept (KEPT_HEADERS), whatever the bank's is called.
test('a notification that waits is still proven when it is read again, whatever its header is called', async () => {
  const attemptReference = `TXN-${'0'.repeat(26)}-1`;
  const eventId = newEventId();
  const payment = { id: 'later', attemptReference, amount: 1_500, currency: 'EUR' };
  const body = BANK.paid(payment as Parameters<typeof BANK.paid>[0], { eventId });
  expect(await notify(app, ODD_BANK, body)).toBe(200);
  await eventually(async () => expect((await storedEvents(app, eventId))[0]!.tries).toBe(2));
  expect(await storedEvents(app, eventId)).toMatchObject([{ outcome: 'no such attempt yet' }]);
});
