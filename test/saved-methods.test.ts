import { randomUUID } from 'node:crypto';
import { untilStatus } from './support/books.js';
import {
  beginSetup,
  createCustomer,
  detach,
  listSaved,
  newCustomer,
  orderFor,
  payWith,
  saveCard,
  untilSaved,
} from './support/customers.js';
import { emailSettings } from './support/email-settings.js';
import { eventually } from './support/eventually.js';
import { expectInvariants } from './support/invariants.js';
import { startMailServer, type MailServer } from './support/mail-server.js';
import { emailsOf } from './support/mailed-orders.js';
import { notify, STRIPE, stripeEvent } from './support/notifying-provider.js';
import { codeOf, dataOf, startTestApp, type RunningApp } from './support/running-app.js';
import { readAsStaff, refundPayment } from './support/staff-calls.js';

const VISA = '4242424242424242';
const MASTERCARD = '5555555555554444';
/** Its bank wants to see the payer for each payment. */
const ALWAYS_ASKS = '4000002760003184';
const NO_FUNDS = '4000000000000341';

let mails: MailServer;
let app: RunningApp;
let settings: Awaited<ReturnType<typeof emailSettings>>;
beforeAll(async () => {
  mails = await startMailServer();
  settings = await emailSettings(mails.url);
  app = await startTestApp({ emails: settings });
});
afterEach(async () => {
  app.stripe.misbehave({});
  app.stripe.resumeWebhooks();
  await app.stripe.settled();
  await expectInvariants(app.dataSource);
});
afterAll(async () => {
  await app.stop();
  settings.delivery.close();
  await mails.stop();
});

const key = () => randomUUID();
const charges = (paymentId: string) =>
  app.stripe.chargesFor(`${paymentId}-1`).filter(({ status }) => status === 'succeeded');

describe('a customer', () => {
  test('is the merchant’s own user: the same external id is the same customer', async () => {
    const externalId = `user-${randomUUID()}`;
    const first = dataOf(await createCustomer(app, { externalId, email: 'awa@shop.example', locale: 'fr' }));
    const again = dataOf(await createCustomer(app, { externalId, email: 'other@shop.example' }));
    expect(again.createCustomer).toEqual(first.createCustomer);
    expect(first.createCustomer).toEqual({
      id: expect.stringMatching(/^CUS-[0-9A-Z]{26}$/),
      externalId,
      email: 'awa@shop.example',
      name: null,
      locale: 'fr',
    });
    const byExternalId = 'query ($externalId: String) { customer(externalId: $externalId) { id } }';
    const found = await app.graphql(byExternalId, { externalId }, app.apiKey);
    expect(dataOf(found).customer.id).toBe(first.createCustomer.id);
  });

  test('is made by backends alone, and seen by themselves and nobody else', async () => {
    const [customer, other] = [await newCustomer(app), await newCustomer(app)];
    const input = { externalId: 'user-of-nobody' };
    expect(codeOf(await createCustomer(app, input, app.operatorToken))).toBe('FORBIDDEN');
    expect(codeOf(await createCustomer(app, input, customer.token))).toBe('FORBIDDEN');
    const query = 'query ($id: ID) { customer(id: $id) { externalId } }';
    const own = await app.graphql(query, { id: customer.id }, customer.token);
    expect(dataOf(own).customer.externalId).toBe(customer.externalId);
    expect(codeOf(await app.graphql(query, { id: other.id }, customer.token))).toBe('NOT_FOUND');
    expect(codeOf(await listSaved(app, other.id, customer.token))).toBe('NOT_FOUND');
    expect(codeOf(await beginSetup(app, other.id, customer.token))).toBe('NOT_FOUND');
    expect(codeOf(await app.graphql(query, { id: customer.id }))).toBe('UNAUTHENTICATED');
  });

  test('has a token that opens no order', async () => {
    const customer = await newCustomer(app);
    const { orderId } = await orderFor(app, customer);
    const query = 'query ($id: ID!) { order(id: $id) { id } }';
    expect(codeOf(await app.graphql(query, { id: orderId }, customer.token))).toBe('NOT_FOUND');
    expect(codeOf(await payWith(app, orderId, customer.token, {}))).toBe('NOT_FOUND');
  });
});

describe('saving a way to pay', () => {
  test('leaves a card with the provider, and here what a person knows it by', async () => {
    const customer = await newCustomer(app);
    const { nextAction } = dataOf(await beginSetup(app, customer.id, customer.token)).setUpPaymentMethod;
    expect(nextAction).toMatchObject({ __typename: 'ConfirmWithStripe', publishableKey: 'pk_test_of_tests' });
    expect(dataOf(await listSaved(app, customer.id, customer.token)).savedPaymentMethods).toEqual([]);
    app.stripe.completeSetup(nextAction.clientSecret, VISA);
    expect(await untilSaved(app, customer)).toEqual([
      {
        id: expect.stringMatching(/^PMT-[0-9A-Z]{26}$/),
        brand: 'visa',
        last4: '4242',
        expiryMonth: expect.any(Number),
        expiryYear: expect.any(Number),
        provider: 'stripe',
        detached: false,
      },
    ]);
  });

  test('makes one customer at the provider and one setup, however often the same is asked', async () => {
    const customer = await newCustomer(app);
    const idempotencyKey = key();
    app.stripe.answerNext('customers.create', { answer: { kind: 'close' }, when: 'AFTER_WORK', times: 3 });
    const ask = () => beginSetup(app, customer.id, app.apiKey, { idempotencyKey });
    const before = app.stripe.counts().requests['customers.create'] ?? 0;
    await ask();
    app.stripe.clearFaults();
    const [one, two] = [dataOf(await ask()), dataOf(await ask())];
    expect(one).toEqual(two);
    expect(app.stripe.counts().requests['customers.create']).toBeGreaterThan(before + 1);
    const made = app.stripe.events().filter(({ type }) => type === 'customer.created');
    const [{ accounts }] = await app.dataSource.query(
      'SELECT count(*)::integer AS accounts FROM customer_provider_account WHERE provider_reference IS NOT NULL',
    );
    expect(made).toHaveLength(accounts);
  });

  test('is heard of once, whatever becomes of the notifications', async () => {
    const customer = await newCustomer(app);
    app.stripe.misbehave({ duplicate: 1, reorder: true, seed: 5 });
    await saveCard(app, customer, VISA);
    await saveCard(app, customer, MASTERCARD);
    await app.stripe.settled();
    const methods = await untilSaved(app, customer, 2);
    expect(methods.map(({ last4 }) => last4)).toEqual(['4444', '4242']);
    const waiting = () => app.dataSource.query(`SELECT 1 FROM webhook_event WHERE status = 'WAITING'`);
    await eventually(waiting, (rows) => rows.length === 0);
  });

  test('is seen at once by who asks for it, though no notification came', async () => {
    const customer = await newCustomer(app);
    app.stripe.pauseWebhooks();
    const { nextAction } = dataOf(await beginSetup(app, customer.id, customer.token)).setUpPaymentMethod;
    app.stripe.completeSetup(nextAction.clientSecret, VISA);
    expect(dataOf(await listSaved(app, customer.id, customer.token)).savedPaymentMethods).toEqual([]);
    const refreshed = dataOf(await listSaved(app, customer.id, customer.token, true)).savedPaymentMethods;
    expect(refreshed).toMatchObject([{ last4: '4242' }]);
  });

  test('of somebody else’s customer changes nothing here', async () => {
    const event = stripeEvent('payment_method.attached', {
      id: 'pm_foreign',
      object: 'payment_method',
      customer: 'cus_foreign',
    });
    const { id } = JSON.parse(event);
    expect(await notify(app, STRIPE, event)).toBe(200);
    const status = async () =>
      (await app.dataSource.query('SELECT status FROM webhook_event WHERE event_id = $1', [id]))[0].status;
    expect(await eventually(status, (now) => now !== 'WAITING')).toBe('IGNORED');
  });

  test('can be done while paying', async () => {
    const customer = await newCustomer(app);
    const { orderId, token } = await orderFor(app, customer);
    const { id, nextAction } = await app.pay(orderId, token, { saveMethod: true });
    app.stripe.pay(nextAction.clientSecret, MASTERCARD);
    await untilStatus(app, id, 'PAID');
    expect(await untilSaved(app, customer)).toMatchObject([{ brand: 'mastercard', last4: '4444' }]);
  });

  test('needs a customer to save it for', async () => {
    const { sku } = await app.addProduct();
    const { orderId, token } = await app.order(sku);
    expect(codeOf(await payWith(app, orderId, token, { saveMethod: true }))).toBe('BAD_USER_INPUT');
  });

  test('ends when it is detached: it is charged no more, and to detach it again is no failure', async () => {
    const customer = await newCustomer(app);
    const other = await newCustomer(app);
    const method = await saveCard(app, customer, VISA);
    expect(codeOf(await detach(app, method.id, other.token))).toBe('NOT_FOUND');
    expect(dataOf(await detach(app, method.id, customer.token)).detachPaymentMethod.detached).toBe(true);
    expect(dataOf(await detach(app, method.id, customer.token)).detachPaymentMethod.detached).toBe(true);
    await untilSaved(app, customer, 0);
    const { orderId, token } = await orderFor(app, customer);
    expect(codeOf(await payWith(app, orderId, token, { savedMethodId: method.id }))).toBe('NOT_FOUND');
    await app.stripe.settled();
    expect(dataOf(await listSaved(app, customer.id, customer.token, true)).savedPaymentMethods).toEqual([]);
  });
});

describe('paying with what was saved', () => {
  test('is done at once, on the payer’s word', async () => {
    const customer = await newCustomer(app);
    const method = await saveCard(app, customer, VISA);
    const { orderId, token, customer: onOrder } = await orderFor(app, customer);
    expect(onOrder).toEqual({ email: customer.email });
    const paid = dataOf(await payWith(app, orderId, token, { savedMethodId: method.id })).createPaymentIntent;
    expect(paid).toMatchObject({ paymentIntent: { status: 'PAID' }, nextAction: null });
    expect(charges(paid.paymentIntent.id)).toMatchObject([{ amount: 1_500 }]);
    const refunded = await refundPayment(app, paid.paymentIntent);
    expect(dataOf(refunded).refundPayment).toMatchObject({ amount: 1_500 });
    await untilStatus(app, paid.paymentIntent.id, 'REFUNDED');
  });

  test('is done without the payer by backends alone', async () => {
    const customer = await newCustomer(app);
    const { id: savedMethodId } = await saveCard(app, customer, VISA);
    const { orderId, token } = await orderFor(app, customer);
    const input = { savedMethodId, offSession: true };
    expect(codeOf(await payWith(app, orderId, token, input))).toBe('FORBIDDEN');
    expect(codeOf(await payWith(app, orderId, app.operatorToken, input))).toBe('FORBIDDEN');
    expect(codeOf(await payWith(app, orderId, app.apiKey, { offSession: true }))).toBe('BAD_USER_INPUT');
    const paid = dataOf(await payWith(app, orderId, app.apiKey, input)).createPaymentIntent;
    expect(paid.paymentIntent.status).toBe('PAID');
  });

  test('is one charge, however often the same is asked, and at the same time', async () => {
    const customer = await newCustomer(app);
    const { id: savedMethodId } = await saveCard(app, customer, VISA);
    const { orderId } = await orderFor(app, customer);
    const input = { savedMethodId, offSession: true, idempotencyKey: key() };
    const ask = async () => dataOf(await payWith(app, orderId, app.apiKey, input)).createPaymentIntent;
    const answers = [...(await Promise.all([ask(), ask(), ask()])), await ask()];
    const ids = new Set(answers.map(({ paymentIntent }) => paymentIntent.id));
    expect(ids.size).toBe(1);
    expect(answers.at(-1)!.paymentIntent.status).toBe('PAID');
    expect(charges([...ids][0] as string)).toHaveLength(1);
  });

  test('is finished by the same request after its answer was lost', async () => {
    const customer = await newCustomer(app);
    const { id: savedMethodId } = await saveCard(app, customer, VISA);
    const { orderId } = await orderFor(app, customer);
    const input = { savedMethodId, offSession: true, idempotencyKey: key() };
    app.stripe.pauseWebhooks();
    app.stripe.answerNext('payment_intents.confirm', {
      answer: { kind: 'close' },
      when: 'AFTER_WORK',
      times: 9,
    });
    const lost = dataOf(await payWith(app, orderId, app.apiKey, input)).createPaymentIntent;
    expect(lost.paymentIntent.status).toBe('UNKNOWN');
    app.stripe.clearFaults();
    const found = dataOf(await payWith(app, orderId, app.apiKey, input)).createPaymentIntent;
    expect(found.paymentIntent).toMatchObject({ id: lost.paymentIntent.id, status: 'PAID' });
    expect(charges(lost.paymentIntent.id)).toHaveLength(1);
  });

  test('is charged by nobody’s job when the request was cut off before', async () => {
    const customer = await newCustomer(app);
    const { id: savedMethodId } = await saveCard(app, customer, VISA);
    const { orderId, token } = await orderFor(app, customer);
    app.stripe.answerNext('payment_intents.confirm', {
      answer: { kind: 'status', status: 429, code: 'rate_limit' },
      times: 9,
    });
    const input = { savedMethodId, offSession: true, idempotencyKey: key() };
    expect(codeOf(await payWith(app, orderId, app.apiKey, input))).toBe('PROVIDER_UNAVAILABLE');
    app.stripe.clearFaults();
    await app.dataSource.query(
      'UPDATE payment_intent SET next_check_at = now() WHERE next_check_at IS NOT NULL',
    );
    const asPayer = dataOf(await payWith(app, orderId, token, {})).createPaymentIntent;
    expect(asPayer.paymentIntent.status).toBe('PENDING');
    expect(charges(asPayer.paymentIntent.id)).toEqual([]);
    const again = dataOf(await payWith(app, orderId, app.apiKey, input)).createPaymentIntent;
    expect(again.paymentIntent).toMatchObject({ id: asPayer.paymentIntent.id, status: 'PAID' });
  });

  test('asks a payer who is there for what their bank wants', async () => {
    const customer = await newCustomer(app);
    const { id: savedMethodId } = await saveCard(app, customer, ALWAYS_ASKS);
    const { orderId, token } = await orderFor(app, customer);
    const asked = dataOf(await payWith(app, orderId, token, { savedMethodId })).createPaymentIntent;
    expect(asked).toMatchObject({
      paymentIntent: { status: 'PENDING', failureCode: null },
      nextAction: { __typename: 'ConfirmWithStripe' },
    });
    app.stripe.authenticate(asked.nextAction.clientSecret, 'complete');
    await untilStatus(app, asked.paymentIntent.id, 'PAID');
    const written = await eventually(
      () => emailsOf(app, asked.paymentIntent.id),
      (rows) => rows.length > 0,
    );
    expect(written).toMatchObject([{ template: 'ORDER_CONFIRMED' }]);
  });

  test('asks a payer who is away back by mail, once, and they pay the same payment by its link', async () => {
    const customer = await newCustomer(app);
    const { id: savedMethodId } = await saveCard(app, customer, ALWAYS_ASKS);
    const { orderId } = await orderFor(app, customer);
    const input = { savedMethodId, offSession: true, idempotencyKey: key() };
    app.stripe.misbehave({ duplicate: 1, reorder: true, seed: 3 });
    const declined = dataOf(await payWith(app, orderId, app.apiKey, input)).createPaymentIntent;
    const { id } = declined.paymentIntent;
    expect(declined.paymentIntent).toMatchObject({
      status: 'PENDING',
      failureCode: 'authentication_required',
    });
    expect(dataOf(await payWith(app, orderId, app.apiKey, input)).createPaymentIntent.paymentIntent.id).toBe(
      id,
    );

    const [mail] = await mails.until(1, customer.email);
    expect(mail!.subject).toBe(`Your payment for order ${orderId} needs you`);
    const token = decodeURIComponent(/&token=(\S+)/.exec(mail!.text!)![1]!);
    const inPerson = await app.pay(orderId, token, { method: 'CARD' });
    expect(inPerson.id).toBe(id);
    app.stripe.pay(inPerson.nextAction.clientSecret, VISA);
    await untilStatus(app, id, 'PAID');
    expect((await readAsStaff(app, { id })).failureCode).toBeNull();
    const sent = await eventually(
      () => emailsOf(app, id),
      (rows) => rows.length === 2 && rows.every(({ status }) => status === 'SENT'),
    );
    expect(sent.map(({ template }) => template)).toEqual(['PAYER_NEEDED', 'ORDER_CONFIRMED']);
    expect(charges(id)).toHaveLength(1);
  });

  test('that was declined is not tried again behind the payer’s back', async () => {
    const customer = await newCustomer(app);
    const { id: savedMethodId } = await saveCard(app, customer, NO_FUNDS);
    const { orderId } = await orderFor(app, customer);
    const input = { savedMethodId, offSession: true, idempotencyKey: key() };
    const before = app.stripe.requests('payment_intents.confirm');
    const ask = async () => dataOf(await payWith(app, orderId, app.apiKey, input)).createPaymentIntent;
    const { paymentIntent } = await ask();
    await ask();
    expect(paymentIntent.status).toBe('PENDING');
    expect(paymentIntent.failureCode).toEqual(expect.any(String));
    expect(app.stripe.requests('payment_intents.confirm')).toBe(before + 1);
  });

  test('is for the order’s own customer: what another one has saved does not exist', async () => {
    const [customer, other] = [await newCustomer(app), await newCustomer(app)];
    const { id: savedMethodId } = await saveCard(app, other, VISA);
    const { orderId, token } = await orderFor(app, customer);
    expect(codeOf(await payWith(app, orderId, token, { savedMethodId }))).toBe('NOT_FOUND');
    const { sku } = await app.addProduct();
    const anonymous = await app.order(sku);
    expect(codeOf(await payWith(app, anonymous.orderId, anonymous.token, { savedMethodId }))).toBe(
      'NOT_FOUND',
    );
  });

  test('takes the place of what the payer had begun before', async () => {
    const customer = await newCustomer(app);
    const { id: savedMethodId } = await saveCard(app, customer, VISA);
    const { orderId, token } = await orderFor(app, customer);
    const begun = await app.pay(orderId, token, { method: 'CARD' });
    const paid = dataOf(await payWith(app, orderId, token, { savedMethodId })).createPaymentIntent;
    expect(paid.paymentIntent).toMatchObject({ id: begun.id, status: 'PAID' });
    const { attempts } = await readAsStaff(app, begun);
    expect(attempts.map(({ status }: { status: string }) => status)).toEqual(['CANCELLED', 'SUCCEEDED']);
  });
});
