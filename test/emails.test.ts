import type { Email } from 'postal-mime';
import { eventually } from './support/eventually.js';
import { emailSettings, MERCHANT } from './support/email-settings.js';
import { startMailServer, type MailServer } from './support/mail-server.js';
import { bankPaymentOf, emailsOf, newAddress, openFor, orderOf } from './support/mailed-orders.js';
import { ON_PAGE_OF_PAYDUNYA, orderInFrancs } from './support/mobile-money.js';
import { BANK, notify, STRIPE } from './support/notifying-provider.js';
import { cancelPayment, readPayment } from './support/payment-calls.js';
import { payAt } from './support/payments-with-money.js';
import { untilStatus } from './support/books.js';
import { dataOf, RETURN_URL, startTestApp, type RunningApp } from './support/running-app.js';
import { refundPayment, settleReview } from './support/staff-calls.js';
import { settled } from './support/settled.js';

let mails: MailServer;
let app: RunningApp;
let settings: Awaited<ReturnType<typeof emailSettings>>;
beforeAll(async () => {
  mails = await startMailServer();
  settings = await emailSettings(mails.url);
  app = await startTestApp({ emails: settings, shopTimeZone: 'Africa/Porto-Novo' });
});
afterAll(async () => {
  await app.stop();
  settings.delivery.close();
  await mails.stop();
});

const plain = (text: string | undefined) => text?.replace(/[\u00a0\u202f]/g, ' ');

/** The merchant's, about this order. */
const untilMerchantReads = (orderId: string) =>
  eventually(
    () => mails.mails.filter(({ to, text }) => to?.[0]?.address === MERCHANT && text?.includes(orderId)),
    (found) => found.length > 0,
  );

/** These, each once, and nobody else is written to about this payment. */
async function expectEmails(paymentIntentId: string, ...expected: [template: string, recipient: string][]) {
  const rows = await eventually(
    () => emailsOf(app, paymentIntentId),
    (found) => found.length >= expected.length && found.every(({ status }) => status === 'SENT'),
  );
  const written = rows.map(({ template, recipient }) => [template, recipient]);
  expect(written.sort()).toEqual([...expected].sort());
  for (const { id } of rows) {
    expect(mails.mails.filter(({ messageId }) => messageId?.startsWith(`<${id}.`))).toHaveLength(1);
  }
}

test.each([
  ['en', 'is confirmed', /payment of|Paid on/],
  ['fr', 'est confirmée', /paiement de|Payé le/],
])(
  'an order that costs nothing is confirmed to its customer, and nothing is said of money received: %s',
  async (locale, words, ofMoney) => {
    const { sku } = await app.addProduct({ unitAmount: 0, name: 'Sample' });
    const email = newAddress();
    const order = await orderOf(app, { lines: [{ sku, quantity: 1 }], locale, email });
    const { id } = await app.pay(order.orderId, order.token);
    const [mail] = await mails.until(1, email);
    for (const body of [mail!.text, mail!.html]) {
      expect(body).toContain(words);
      expect(body).toContain('Sample');
      expect(body).not.toMatch(ofMoney);
    }
    await expectEmails(id, ['ORDER_CONFIRMED', email]);
  },
);

test('an order that is paid is confirmed to its customer, in their language, with what was ordered', async () => {
  const order = await orderOf(app, { number: 'T1-26-00001' });
  const id = await bankPaymentOf(app, order);
  app.bank.pay(`${id}-1`);
  const [mail] = await mails.until(1, order.email);
  expect(mail).toMatchObject({
    from: { name: 'Chez Awa', address: 'orders@shop.example' },
    to: [{ name: '', address: order.email }],
    subject: 'Votre commande T1-26-00001 est confirmée',
    messageId: expect.stringMatching(/^<[0-9a-f-]{36}\.1@shop\.example>$/),
  });
  const header = (key: string) => mail!.headers.find((one) => one.key === key)?.value;
  expect(header('auto-submitted')).toBe('auto-generated');
  expect(header('content-language')).toBe('fr');
  expect(mail!.attachments).toEqual([]);
  for (const body of [mail!.text, mail!.html]) {
    expect(plain(body)).toContain('Bonjour Awa Diop,');
    expect(plain(body)).toContain('30,00 €');
    expect(body).toContain('Mug');
    expect(body).toContain(id);
  }
  expect(plain(mail!.text)).toContain('2 × Mug : 30,00 €');
  await expectEmails(id, ['ORDER_CONFIRMED', order.email]);
});

test('a booking stands in the confirmation, at the shop’s own time', async () => {
  const day = new Date(Date.now() + 30 * 24 * 3_600_000).toISOString().slice(0, 10);
  const booking = { startsAt: `${day}T08:00:00Z`, endsAt: `${day}T10:00:00Z` };
  const order = await orderOf(app, { locale: 'en-GB', booking });
  const id = await bankPaymentOf(app, order);
  app.bank.pay(`${id}-1`);
  const [mail] = await mails.until(1, order.email);
  expect(mail!.text).toMatch(
    /Booking BKG-[0-9A-Z]{26}: \d+ \w+ \d{4} at 09:00 GMT\+1 – \d+ \w+ \d{4} at 11:00 GMT\+1/,
  );
});

/** What the mail's link says. */
function linkOf(mail: Email | undefined): { readonly order: string; readonly token: string } {
  const [, order = '', token = ''] =
    /https:\/\/shop\.example\/checkout#order=([^&\s]+)&token=(\S+)/.exec(mail?.text ?? '') ?? [];
  return { order: decodeURIComponent(order), token: decodeURIComponent(token) };
}

test('a payment that failed is told with a link that opens the same order, and pays it', async () => {
  const order = await orderOf(app);
  const id = await bankPaymentOf(app, order);
  app.bank.decline(`${id}-1`);
  const [mail] = await mails.until(1, order.email);
  expect(plain(mail!.subject)).toBe(`Votre paiement pour la commande ${order.orderId} n’a pas abouti`);
  const link = linkOf(mail);
  expect(link.order).toBe(order.orderId);
  expect(mail!.html).toContain(`token=${link.token}`);

  expect(await readPayment(app, id, link.token)).toMatchObject({
    status: 'FAILED',
    order: { id: order.orderId },
  });
  const second = await app.pay(link.order, link.token, { method: 'BANK', returnUrl: RETURN_URL });
  app.bank.pay(`${second.id}-1`);
  const [, confirmation] = await mails.until(2, order.email);
  expect(confirmation!.subject).toBe(`Votre commande ${order.orderId} est confirmée`);
  await expectEmails(id, ['PAYMENT_FAILED', order.email]);
});

test('the link’s token stands in no row and in no log', async () => {
  const order = await orderOf(app);
  const id = await bankPaymentOf(app, order);
  app.bank.decline(`${id}-1`);
  const [mail] = await mails.until(1, order.email);
  const { token } = linkOf(mail);
  const signature = token.split('.').at(-1)!;
  expect(signature.length).toBeGreaterThan(20);
  const [{ rows }] = await app.dataSource.query(
    `SELECT (SELECT string_agg(e::text, '') FROM email_message e)
       || coalesce((SELECT string_agg(j::text, '') FROM graphile_worker._private_jobs j), '')
       || (SELECT string_agg(a::text, '') FROM audit_log a) AS rows`,
  );
  expect(rows).not.toContain(signature);
});

test('each refund is told once, with its own amount', async () => {
  const payment = await openFor(app, STRIPE);
  payAt(app, STRIPE, payment);
  await untilStatus(app, payment.id, 'PAID');
  dataOf(await refundPayment(app, payment, { amount: 400 }));
  const first = await mails.until(2, payment.email);
  expect(first[1]!.subject).toBe(`€4.00 of order ${payment.orderId} given back`);
  expect(first[1]!.text).toContain('So far, €4.00 of your payment of €15.00 was given back.');
  dataOf(await refundPayment(app, payment, { amount: 100 }));
  const second = await mails.until(3, payment.email);
  expect(second[2]!.subject).toBe(`€1.00 of order ${payment.orderId} given back`);
  expect(second[2]!.text).toContain('So far, €5.00 of your payment of €15.00');
  dataOf(await refundPayment(app, payment));
  const third = await mails.until(4, payment.email);
  expect(third[3]!.subject).toBe(`€10.00 of order ${payment.orderId} given back`);
  expect(third[3]!.text).toContain('all of your payment is given back');
  await settled(app);
  const refund = ['REFUND_MADE', payment.email] as [string, string];
  await expectEmails(payment.id, ['ORDER_CONFIRMED', payment.email], refund, refund, refund);
});

test('money that comes late, and still finds its stock: both parties are told', async () => {
  const payment = await openFor(app, BANK);
  dataOf(await cancelPayment(app, payment.id, payment.token));
  app.bank.payLate(payment.attemptReference);
  const [mail] = await mails.until(1, payment.email);
  expect(mail!.subject).toBe(`Your payment arrived: order ${payment.orderId} is confirmed`);
  const [told] = await untilMerchantReads(payment.orderId);
  expect(told!.subject).toBe(`Unexpected money for order ${payment.orderId}`);
  expect(told!.text).toContain('the order is confirmed');
  expect(told!.text).toContain(`Awa Diop, ${payment.email}`);
  await expectEmails(payment.id, ['PAID_LATE', payment.email], ['UNEXPECTED_MONEY', MERCHANT]);
});

test('money that comes late, with the stock gone: both parties are told, and of the refund', async () => {
  const payment = await openFor(app, BANK, { stock: 1, locale: 'fr' });
  dataOf(await cancelPayment(app, payment.id, payment.token));
  const other = await app.order(payment.sku);
  await app.pay(other.orderId, other.token, { method: 'CARD' });
  app.bank.payLate(payment.attemptReference);
  const given = await mails.until(2, payment.email);
  const subjects = given.map(({ subject }) => plain(subject)).sort();
  expect(subjects).toEqual([
    `Remboursement de 15,00 € pour la commande ${payment.orderId}`,
    `Votre paiement pour la commande ${payment.orderId} vous est rendu`,
  ]);
  const [explained] = given.filter(({ subject }) => subject?.includes('vous est rendu'));
  expect(explained!.text).toContain('avait été vendu avant que votre paiement nous parvienne');
  const [told] = await untilMerchantReads(payment.orderId);
  expect(told!.text).toContain('PAID_WITHOUT_STOCK');
  await expectEmails(
    payment.id,
    ['PAYMENT_GIVEN_BACK', payment.email],
    ['UNEXPECTED_MONEY', MERCHANT],
    ['REFUND_MADE', payment.email],
  );
});

describe('money that should go back, and whose provider has no way to do it', () => {
  async function lateAtPayDunya(locale: string) {
    const email = newAddress();
    const { orderId, token, sku } = await orderInFrancs(app, { stock: 1 });
    await app.dataSource.query('UPDATE orders SET customer = $2, locale = $3 WHERE reference = $1', [
      orderId,
      { name: 'Awa Diop', email },
      locale,
    ]);
    const { id } = await app.pay(orderId, token, ON_PAGE_OF_PAYDUNYA);
    await app.dataSource.query('UPDATE payment_intent SET expires_at = now() WHERE reference = $1', [id]);
    await untilStatus(app, id, 'EXPIRED');
    const other = await app.order(sku);
    await app.pay(other.orderId, other.token, { method: 'CARD' });
    app.paydunya.payLate(`${id}-1`);
    await untilStatus(app, id, 'REVIEW');
    return { id, orderId, email };
  }

  test('is not promised: customer and merchant are told at once that the shop has to do it', async () => {
    const { id, orderId, email } = await lateAtPayDunya('en');
    const [mail] = await mails.until(1, email);
    expect(mail!.subject).toBe(`About your payment for order ${orderId}`);
    expect(mail!.text).toContain('We will contact you about how you get your money back.');
    expect(mail!.text).not.toMatch(/giving all of it back|on its way/);
    const [told] = await untilMerchantReads(orderId);
    expect(told!.subject).toBe(`Give back by hand: unexpected money for order ${orderId}`);
    expect(told!.text).toContain('you have to give it back by hand');
    expect(told!.text).toContain('it has to be given back by hand. (PAID_WITHOUT_STOCK)');
    const refunds = await app.dataSource.query(
      `SELECT status, settled_at = created_at AS "isAtOnce" FROM refund
       WHERE intent_id = (SELECT id FROM payment_intent WHERE reference = $1)`,
      [id],
    );
    expect(refunds).toEqual([{ status: 'FAILED', isAtOnce: true }]);
  });

  test('is not promised in French either', async () => {
    const { orderId, email } = await lateAtPayDunya('fr');
    const [mail] = await mails.until(1, email);
    expect(plain(mail!.subject)).toBe(`À propos de votre paiement pour la commande ${orderId}`);
    expect(mail!.text).toContain('Nous vous contacterons au sujet de votre remboursement.');
    expect(mail!.text).not.toContain('nous vous le rendons');
  });
});

test('who has paid twice is told that the second money goes back', async () => {
  const payment = await openFor(app, STRIPE);
  app.stripe.answerNext('payment_intents.cancel', {
    answer: { kind: 'status', status: 500, shouldRetry: false },
    times: 1_000,
  });
  await app.pay(payment.orderId, payment.token, { method: 'BANK', returnUrl: RETURN_URL });
  app.bank.pay(`${payment.id}-2`);
  await untilStatus(app, payment.id, 'PAID');
  payAt(app, STRIPE, payment);
  await mails.until(3, payment.email);
  app.stripe.clearFaults();
  await expectEmails(
    payment.id,
    ['ORDER_CONFIRMED', payment.email],
    ['PAYMENT_GIVEN_BACK', payment.email],
    ['UNEXPECTED_MONEY', MERCHANT],
    ['REFUND_MADE', payment.email],
  );
});

test('money of a wrong amount: the payer is told to wait, the merchant to decide, and the decision confirms the order', async () => {
  const payment = await openFor(app, BANK);
  await notify(app, BANK, BANK.paid(payment, { amount: 1_200 }));
  const [mail] = await mails.until(1, payment.email);
  expect(mail!.subject).toBe(`We are looking at your payment for order ${payment.orderId}`);
  expect(mail!.text).toContain('We have received €12.00');
  expect(mail!.text).toContain('which costs €15.00');
  const [told] = await untilMerchantReads(payment.orderId);
  expect(told!.subject).toBe(`Decide about the payment of order ${payment.orderId}`);
  expect(told!.text).toContain('AMOUNT_MISMATCH');
  dataOf(await settleReview(app, payment, 'ACCEPT'));
  const [, confirmation] = await mails.until(2, payment.email);
  expect(confirmation!.text).toContain('your payment of €12.00');
  await expectEmails(
    payment.id,
    ['PAYMENT_UNDER_REVIEW', payment.email],
    ['REVIEW_NEEDED', MERCHANT],
    ['ORDER_CONFIRMED', payment.email],
  );
});

test('each dispute is told to the merchant, with the time that is left, and to nobody else', async () => {
  const payment = await openFor(app, STRIPE);
  payAt(app, STRIPE, payment);
  await untilStatus(app, payment.id, 'PAID');
  const { id } = app.stripe.openDispute(payment.providerReference, {});
  const [told] = await untilMerchantReads(payment.orderId);
  expect(told!.subject).toBe(`Dispute: €15.00 of order ${payment.orderId}`);
  expect(told!.text).toContain(id);
  expect(told!.text).toMatch(/give evidence at stripe until \w+ \d+, \d{4}/);
  await settled(app);
  app.stripe.closeDispute(id, 'lost');
  await settled(app);
  await untilStatus(app, payment.id, 'CHARGED_BACK');
  await expectEmails(payment.id, ['ORDER_CONFIRMED', payment.email], ['DISPUTE_OPENED', MERCHANT]);
});

test('who has left no address is not written to', async () => {
  const payment = await BANK.open(app);
  payAt(app, BANK, payment);
  await untilStatus(app, payment.id, 'PAID');
  const witness = await openFor(app, BANK);
  payAt(app, BANK, witness);
  await mails.until(1, witness.email);
  expect(await emailsOf(app, payment.id)).toEqual([]);
});

test('what the relay tells again is not mailed again', async () => {
  const payment = await openFor(app, BANK);
  payAt(app, BANK, payment);
  await expectEmails(payment.id, ['ORDER_CONFIRMED', payment.email]);
  for (let time = 0; time < 2; time += 1) {
    await app.dataSource.query(
      `UPDATE outbox_event SET told_at = NULL WHERE key = (SELECT id FROM payment_intent WHERE reference = $1)`,
      [payment.id],
    );
    await eventually(async () =>
      expect(await app.dataSource.query('SELECT 1 FROM outbox_event WHERE told_at IS NULL')).toEqual([]),
    );
  }
  const witness = await openFor(app, BANK);
  payAt(app, BANK, witness);
  await mails.until(1, witness.email);
  await expectEmails(payment.id, ['ORDER_CONFIRMED', payment.email]);
});

test('the database refuses a second e-mail of the same template for the same transition', async () => {
  const payment = await openFor(app, BANK);
  payAt(app, BANK, payment);
  await expectEmails(payment.id, ['ORDER_CONFIRMED', payment.email]);
  const copy = app.dataSource.query(
    `INSERT INTO email_message SELECT (jsonb_populate_record(e, jsonb_build_object('id', gen_random_uuid()))).*
     FROM email_message e JOIN payment_intent i ON i.id = e.intent_id WHERE i.reference = $1`,
    [payment.id],
  );
  await expect(copy).rejects.toThrow(/email_message_once/);
});

describe('for backends and operators', () => {
  const LIST = `query ($filter: EmailMessageFilter, $first: Int, $after: String) {
    emailMessages(filter: $filter, first: $first, after: $after) {
      edges { cursor node {
        id template recipient locale status tries nextTryAt lastError createdAt sentAt
        order { id } paymentIntent: intent { id }
      } }
      pageInfo { hasNextPage endCursor }
    } }`;
  const RESEND = `mutation ($id: ID!) { resendEmail(id: $id) { id status tries } }`;

  async function twoEmails() {
    const payment = await openFor(app, BANK);
    payAt(app, BANK, payment);
    await untilStatus(app, payment.id, 'PAID');
    dataOf(await refundPayment(app, payment));
    await expectEmails(payment.id, ['ORDER_CONFIRMED', payment.email], ['REFUND_MADE', payment.email]);
    return payment;
  }

  test('e-mails are listed by order, payment, template and status, in pages, the newest first', async () => {
    const payment = await twoEmails();
    const list = async (filter: object, page: object = {}) =>
      dataOf(await app.graphql(LIST, { filter, ...page }, app.operatorToken)).emailMessages;
    for (const filter of [{ orderId: payment.orderId }, { paymentIntentId: payment.id, status: 'SENT' }]) {
      const { edges } = await list(filter);
      expect(edges.map(({ node }: any) => node.template)).toEqual(['REFUND_MADE', 'ORDER_CONFIRMED']);
    }
    const first = await list({ orderId: payment.orderId }, { first: 1 });
    expect(first.pageInfo).toEqual({ hasNextPage: true, endCursor: first.edges[0].cursor });
    const { edges, pageInfo } = await list({ orderId: payment.orderId }, { after: first.pageInfo.endCursor });
    expect(pageInfo.hasNextPage).toBe(false);
    expect(edges[0].node).toMatchObject({
      template: 'ORDER_CONFIRMED',
      recipient: payment.email,
      locale: 'en',
      status: 'SENT',
      tries: 1,
      nextTryAt: null,
      lastError: null,
      sentAt: expect.any(String),
      order: { id: payment.orderId },
      paymentIntent: { id: payment.id },
    });
    expect((await list({ orderId: payment.orderId, status: 'FAILED' })).edges).toEqual([]);
    expect((await list({ orderId: payment.orderId, template: 'REFUND_MADE' })).edges).toHaveLength(1);
  });

  test('one that was sent is sent again as a new message, and it is written down who wanted it', async () => {
    const payment = await twoEmails();
    const [{ id } = { id: '' }] = await emailsOf(app, payment.id);
    expect(dataOf(await app.graphql(RESEND, { id }, app.apiKey)).resendEmail).toMatchObject({
      id,
      status: 'QUEUED',
    });
    const received = await mails.until(3, payment.email);
    expect(received[2]!.subject).toBe(received[0]!.subject);
    expect(received[0]!.messageId).toContain(`${id}.1@`);
    expect(received[2]!.messageId).toContain(`${id}.2@`);
    const query = 'query ($id: ID!) { paymentTimeline(id: $id) { kind summary actor } }';
    const { paymentTimeline } = dataOf(await app.graphql(query, { id: payment.id }, app.apiKey));
    const told = paymentTimeline.filter(({ kind }: { kind: string }) => kind === 'EMAIL');
    expect(told.map(({ summary }: { summary: string }) => summary)).toEqual([
      'The e-mail REFUND_MADE was sent.',
      'The e-mail ORDER_CONFIRMED was sent again by hand.',
      'The e-mail ORDER_CONFIRMED was sent.',
    ]);
    expect(told[1].actor).toMatch(/^backend:/);
  });

  test('nobody else sees or sends any, and what is not there can’t be sent', async () => {
    const payment = await twoEmails();
    const [{ id } = { id: '' }] = await emailsOf(app, payment.id);
    for (const [token, code] of [
      [payment.token, 'FORBIDDEN'],
      [undefined, 'UNAUTHENTICATED'],
    ] as const) {
      for (const [query, variables] of [
        [LIST, {}],
        [RESEND, { id }],
      ] as const) {
        const answer = await app.graphql(query, variables, token);
        expect(answer.errors?.[0]?.extensions.code).toBe(code);
      }
    }
    for (const id of ['nonsense', '0190b7a0-0000-7000-8000-000000000000']) {
      const answer = await app.graphql(RESEND, { id }, app.apiKey);
      expect(answer.errors?.[0]?.extensions).toMatchObject({ code: 'NOT_FOUND', fields: [{ path: 'id' }] });
    }
    const answer = await app.graphql(LIST, { after: newAddress() }, app.apiKey);
    expect(answer.errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
  });
});
