import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { createDataSource } from '../src/database/data-source.js';
import { deleteOldProviderCalls } from '../src/provider-log/delete-old-provider-calls.js';
import { ProviderLog } from '../src/provider-log/provider-log.js';
import { ProviderCallEntry } from '../src/provider-log/provider-call-entry.js';
import type { ProviderCall } from '../src/providers/provider-call.js';
import { startCuttableProxy, type CuttableProxy } from './support/cuttable-proxy.js';
import { eventually } from './support/eventually.js';
import {
  BY_PHONE,
  BY_SOFTPAY,
  lookNow,
  ON_PAGE_OF_PAWAPAY,
  ON_PAGE_OF_PAYDUNYA,
} from './support/mobile-money.js';
import { BANK, type OpenPayment } from './support/notifying-provider.js';
import {
  BANK_WEBHOOK_SECRET,
  codeOf,
  dataOf,
  PAWAPAY_TOKEN,
  PAYDUNYA_KEYS,
  RETURN_URL,
  SECRET,
  startTestApp,
  STRIPE_WEBHOOK_SECRET,
  type RunningApp,
} from './support/running-app.js';

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

const LIST = `query ($filter: ProviderCallFilter, $first: Int, $after: String) {
  providerCalls(filter: $filter, first: $first, after: $after) {
    edges {
      cursor
      node {
        id provider operation refundId outcome failureCode tries milliseconds startedAt attemptNumber
        paymentIntent { id order { id } }
        exchanges { method url request status answer milliseconds error }
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}`;

async function list(variables: object): Promise<any> {
  return dataOf(await app.graphql(LIST, variables, app.operatorToken)).providerCalls;
}

async function calls(filter: object): Promise<any[]> {
  return (await list({ filter })).edges.map(({ node }: any) => node);
}

function untilCalls(filter: object, like: object[]): Promise<any[]> {
  return eventually(async () => {
    const found = await calls(filter);
    expect(found).toMatchObject(like);
    return found;
  });
}

const CUSTOMER = { name: 'Awa Ndiaye-Diop', email: 'awa.ndiaye.diop@customers.example' };

async function orderOfCustomer(currency: 'EUR' | 'XOF') {
  const { sku } = await app.addProduct({ currency, unitAmount: 15_000 });
  const answer = await app.graphql(
    'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { order { id } orderToken } }',
    { input: { lines: [{ sku, quantity: 1 }], customer: CUSTOMER } },
  );
  const { order, orderToken } = dataOf(answer).createOrder;
  return { orderId: order.id as string, token: orderToken as string };
}

const WAYS = [
  ['a card at Stripe', 'EUR', 'stripe', { method: 'CARD' }],
  [
    'a page of Stripe’s',
    'EUR',
    'stripe',
    { method: 'CARD', presentation: 'REDIRECT', returnUrl: RETURN_URL },
  ],
  ['a bank', 'EUR', 'bank-x', { method: 'BANK', returnUrl: RETURN_URL }],
  ['a phone at pawaPay', 'XOF', 'pawapay', { ...BY_PHONE, provider: 'pawapay' }],
  ['a page of pawaPay’s', 'XOF', 'pawapay', ON_PAGE_OF_PAWAPAY],
  ['a phone at PayDunya', 'XOF', 'paydunya', BY_SOFTPAY],
  ['a page of PayDunya’s', 'XOF', 'paydunya', ON_PAGE_OF_PAYDUNYA],
] as const;

describe('a payment', () => {
  test.each(WAYS)('by %s leaves its calls, linked to its attempt', async (_, currency, provider, way) => {
    const { orderId, token } = await orderOfCustomer(currency);
    const { id } = await app.pay(orderId, token, way);

    const [call] = await untilCalls({ paymentIntentId: id, operation: 'initiate' }, [
      {
        provider,
        outcome: 'OK',
        failureCode: null,
        tries: 1,
        attemptNumber: 1,
        refundId: null,
        paymentIntent: { id, order: { id: orderId } },
      },
    ]);
    expect(call.milliseconds).toBeGreaterThan(0);
    expect(Date.now() - Date.parse(call.startedAt)).toBeLessThan(10_000);
    const last = call.exchanges.at(-1);
    expect(last).toMatchObject({
      url: expect.stringMatching(/^http/),
      milliseconds: expect.any(Number),
      error: null,
    });
    expect(last.status).toBeGreaterThanOrEqual(200);
    expect(last.status).toBeLessThan(300);
    const bodies = call.exchanges.map(({ request, answer }: any) => `${request} ${answer}`).join('\n');
    expect(bodies).toMatch(/15000|"150.00"/);
  });

  test('leaves nothing that is secret or personal', async () => {
    const clientSecrets: string[] = [];
    for (const [, currency, , way] of WAYS) {
      const { orderId, token } = await orderOfCustomer(currency);
      const { id, nextAction } = await app.pay(orderId, token, way);
      if (nextAction.clientSecret) clientSecrets.push(nextAction.clientSecret);
      await lookNow(app, id);
      await untilCalls({ paymentIntentId: id, operation: 'verify' }, [{ outcome: 'OK' }]);
    }

    const [{ everything }] = await app.dataSource.query(
      `SELECT string_agg(c::text, E'\\n') AS everything FROM provider_call c`,
    );
    expect(clientSecrets).toHaveLength(1);
    const hidden = [
      ...clientSecrets,
      clientSecrets[0]!.split('_secret_')[1]!,
      app.stripeSecretKey,
      STRIPE_WEBHOOK_SECRET,
      'bank-api-key',
      BANK_WEBHOOK_SECRET,
      PAWAPAY_TOKEN,
      ...Object.values(PAYDUNYA_KEYS),
      SECRET,
      app.apiKey,
      CUSTOMER.email,
      'payers@shop.example',
      'Ndiaye',
      BY_PHONE.phoneNumber.slice(4),
      BY_SOFTPAY.phoneNumber.slice(4),
    ];
    for (const text of hidden) expect(everything).not.toContain(text);
    // It is there, and masked.
    expect(everything).toContain('a•••@customers.example');
    expect(everything).toContain(`••••••••••${BY_PHONE.phoneNumber.slice(-3)}`);
  });

  test('that a provider refuses leaves the code of the refusal', async () => {
    app.pawapay.answerNext('createDeposit', { kind: 'reject', failureCode: 'AMOUNT_OUT_OF_BOUNDS' });
    const { orderId, token } = await orderOfCustomer('XOF');
    const input = { orderId, ...BY_PHONE, provider: 'pawapay' };
    const mutation =
      'mutation ($input: CreatePaymentIntentInput!) { createPaymentIntent(input: $input) { nextAction { __typename } } }';
    const refused = await app.graphql(mutation, { input }, token);
    expect(codeOf(refused)).toBeDefined();

    const [call] = await untilCalls({ outcome: 'REJECTED', provider: 'pawapay' }, [
      { operation: 'initiate', failureCode: 'AMOUNT_OUT_OF_BOUNDS', tries: 1, attemptNumber: 1 },
    ]);
    expect(call.paymentIntent.order.id).toBe(orderId);
    expect(call.exchanges.at(-1)).toMatchObject({
      status: 200,
      answer: expect.stringContaining('AMOUNT_OUT_OF_BOUNDS'),
    });
  });

  test('of which a question was asked three times shows each try', async () => {
    const payment = await BANK.open(app);
    app.bank.answerNext('getPayment', { kind: 'close' }, 2);
    await lookNow(app, payment.id);

    await untilCalls({ paymentIntentId: payment.id, operation: 'verify' }, [
      {
        outcome: 'OK',
        tries: 3,
        exchanges: [
          { status: null, answer: null, error: 'CONNECTION_LOST' },
          { status: null, answer: null, error: 'CONNECTION_LOST' },
          { status: 200, error: null },
        ],
      },
    ]);
  });

  test('waits for no log', async () => {
    const runner = app.dataSource.createQueryRunner();
    await runner.startTransaction();
    const payments: OpenPayment[] = [];
    try {
      await runner.query('LOCK TABLE provider_call IN ACCESS EXCLUSIVE MODE');
      payments.push(await BANK.open(app), await BANK.open(app));
    } finally {
      await runner.rollbackTransaction();
      await runner.release();
    }

    for (const { id } of payments) await untilCalls({ paymentIntentId: id }, [{ operation: 'initiate' }]);
  });

  test('tells of its calls in its timeline, after the attempt that they belong to', async () => {
    const payment = await BANK.open(app);
    app.bank.answerNext('getPayment', {
      kind: 'status',
      status: 404,
      body: '{"error":{"code":"no_such_payment"}}',
    });
    await lookNow(app, payment.id);
    await untilCalls({ paymentIntentId: payment.id }, [{ operation: 'verify' }, { operation: 'initiate' }]);

    const query = 'query ($id: ID!) { paymentTimeline(id: $id) { kind summary details } }';
    const { paymentTimeline } = dataOf(await app.graphql(query, { id: payment.id }, app.apiKey));

    const told = paymentTimeline.filter(({ kind }: any) => kind === 'ATTEMPT' || kind === 'PROVIDER_CALL');
    expect(told).toMatchObject([
      { kind: 'ATTEMPT' },
      { summary: expect.stringMatching(/^bank-x: initiate, \d+ ms, 1 try: OK\.$/), details: { attempt: 1 } },
      {
        summary: expect.stringMatching(/^bank-x: verify, \d+ ms, 1 try: REJECTED \(no_such_payment\)\.$/),
        details: { outcome: 'REJECTED', failureCode: 'no_such_payment', tries: 1 },
      },
    ]);
  });
});

describe('providerCalls', () => {
  test('is narrowed by all that is given', async () => {
    const payment = await BANK.open(app);
    const [call] = await untilCalls({ paymentIntentId: payment.id }, [{ operation: 'initiate' }]);
    const filter = { paymentIntentId: payment.id };
    const one = [{ id: call.id }];
    const moment = Date.parse(call.startedAt);

    expect(
      await calls({ ...filter, provider: 'bank-x', operation: 'initiate', outcome: 'OK' }),
    ).toMatchObject(one);
    expect(await calls({ ...filter, provider: 'stripe' })).toEqual([]);
    expect(await calls({ ...filter, operation: 'verify' })).toEqual([]);
    expect(await calls({ ...filter, outcome: 'BUG' })).toEqual([]);
    expect(await calls({ ...filter, since: call.startedAt, until: new Date(moment + 1) })).toMatchObject(one);
    expect(await calls({ ...filter, since: new Date(moment + 1) })).toEqual([]);
    expect(await calls({ ...filter, until: call.startedAt })).toEqual([]);
  });

  test('lists the newest first, page by page, and none twice', async () => {
    // In one millisecond, as in a busy hour, and where nothing else comes in between.
    const at = new Date('2020-01-01');
    await keep(Array.from({ length: 7 }, () => ({ ...CALL, provider: 'paged', startedAt: at })));
    await keep([{ ...CALL, provider: 'paged', startedAt: new Date('2020-01-02') }]);
    const filter = { provider: 'paged' };
    const all = (await calls(filter)).map(({ id }) => id);

    const read: string[] = [];
    let after: string | null = null;
    do {
      const page: any = await list({ filter, first: 3, after });
      expect(page.edges.length).toBeLessThanOrEqual(3);
      read.push(...page.edges.map(({ node }: any) => node.id));
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
    } while (after);

    expect(read).toEqual(all);
    expect(new Set(all).size).toBe(8);
    expect((await list({ filter, first: 1 })).edges[0].node.startedAt).toBe('2020-01-02T00:00:00.000Z');
  });

  test('a cursor that isn’t there is said so', async () => {
    for (const after of ['nonsense', '0190a000-0000-7000-8000-000000000000']) {
      const answer = await app.graphql(LIST, { after }, app.operatorToken);
      expect(codeOf(answer)).toBe('BAD_USER_INPUT');
      expect(answer.errors![0]!.extensions.fields).toMatchObject([{ path: 'after' }]);
    }
    expect(codeOf(await app.graphql(LIST, { first: 201 }, app.operatorToken))).toBe('BAD_USER_INPUT');
  });

  test('is closed to everybody but operators', async () => {
    const { token } = await BANK.open(app);
    // Strangers may ask for so little at once that a whole page is refused before anybody looks at who asks.
    const few = { first: 5 };
    expect(codeOf(await app.graphql(LIST, few))).toBe('UNAUTHENTICATED');
    expect(codeOf(await app.graphql(LIST, few, token))).toBe('FORBIDDEN');
    expect(codeOf(await app.graphql(LIST, {}, app.apiKey))).toBe('FORBIDDEN');
  });
});

const CALL: ProviderCall = {
  provider: 'bank-x',
  operation: 'verify',
  startedAt: new Date(),
  milliseconds: 12,
  tries: 1,
  outcome: 'OK',
  exchanges: [
    { method: 'GET', url: 'https://bank.example/payments/1', status: 200, answer: '{}', milliseconds: 11 },
  ],
};

/** What a log was told to say, in order. */
function listeningLog() {
  const said: string[] = [];
  const say = (_: object, message: string) => void said.push(message);
  return { said, log: { warn: say, error: say } as never };
}

/** Writes them as the app does, and waits until they are written. */
async function keep(told: readonly ProviderCall[], { log } = listeningLog()): Promise<void> {
  const providerLog = new ProviderLog(app.dataSource.manager, log);
  for (const call of told) providerLog.add(call);
  await providerLog.close();
}

function stored(provider: string): Promise<ProviderCallEntry[]> {
  return app.dataSource.manager.find(ProviderCallEntry, {
    where: { provider },
    order: { startedAt: 'ASC', id: 'ASC' },
  });
}

describe('the log', () => {
  test('writes what is left when it is closed, however much', async () => {
    await keep(Array.from({ length: 450 }, () => ({ ...CALL, provider: 'many' })));
    expect(await stored('many')).toHaveLength(450);
  });

  test('keeps calls of no attempt, and of one that isn’t there', async () => {
    const attemptReference = 'TXN-0123456789ABCDEFGHJKMNPQRS-1';
    await keep([
      { ...CALL, provider: 'unlinked', operation: 'listPayments' },
      { ...CALL, provider: 'unlinked', attemptReference, refundReference: 'RFD-7', outcome: 'BUG' },
    ]);
    expect(await stored('unlinked')).toMatchObject([
      { attemptId: null, operation: 'listPayments', refundReference: null },
      { attemptId: null, refundReference: 'RFD-7', outcome: 'BUG' },
    ]);
  });

  test('leaves out what is asked every few seconds and what nobody was asked, unless it failed', async () => {
    const failed = { outcome: 'unavailable', failureCode: 'TIMEOUT' } as const;
    await keep([
      { ...CALL, provider: 'noisy', operation: 'listNotifications' },
      { ...CALL, provider: 'noisy', operation: 'readAvailability' },
      // Its answer was known.
      { ...CALL, provider: 'noisy', operation: 'reserve', exchanges: [] },
      { ...CALL, provider: 'noisy', operation: 'listNotifications', ...failed },
      { ...CALL, provider: 'noisy', operation: 'readAvailability', ...failed },
      // It was not let through.
      {
        ...CALL,
        provider: 'noisy',
        exchanges: [],
        tries: 0,
        outcome: 'unavailable',
        failureCode: 'CIRCUIT_OPEN',
      },
    ]);
    expect(await stored('noisy')).toMatchObject([
      { operation: 'listNotifications', outcome: 'UNAVAILABLE', failureCode: 'TIMEOUT' },
      { operation: 'readAvailability', outcome: 'UNAVAILABLE' },
      { operation: 'verify', failureCode: 'CIRCUIT_OPEN', tries: 0, exchanges: [] },
    ]);
  });

  test('takes whatever characters a provider says', async () => {
    const answer = '{"text":"\\u0000\\ud800"}\0';
    const strange = { failureCode: 'no\ud800', exchanges: [{ ...CALL.exchanges[0]!, answer, url: 'x:\0' }] };
    const { said, log } = listeningLog();
    await keep([{ ...CALL, provider: 'strange', outcome: 'rejected', ...strange }], { said, log });
    expect(await stored('strange')).toMatchObject([{ failureCode: 'no\ufffd' }]);
    expect(said).toEqual([]);
  });

  test('drops what the database will never take, and nothing else', async () => {
    await app.dataSource.query(
      `ALTER TABLE provider_call ADD CONSTRAINT refused CHECK (refund_reference <> 'RFD-REFUSED')`,
    );
    const { said, log } = listeningLog();
    const told = Array.from({ length: 9 }, (_, index) => ({
      ...CALL,
      provider: 'refused',
      refundReference: index === 4 ? 'RFD-REFUSED' : `RFD-${index}`,
    }));
    await keep(told, { said, log });
    await app.dataSource.query('ALTER TABLE provider_call DROP CONSTRAINT refused');

    expect((await stored('refused')).map(({ refundReference }) => refundReference)).toEqual(
      [0, 1, 2, 3, 5, 6, 7, 8].map((index) => `RFD-${index}`),
    );
    expect(said).toEqual(['a call of a provider could not be kept']);
  });

  test('deletes what is older than it may be, and nothing else', async () => {
    const hour = 60 * 60 * 1_000;
    const begun = [1, 3, 5].map((hours) => new Date(Date.now() - hours * hour));
    await keep(begun.map((startedAt) => ({ ...CALL, provider: 'aging', startedAt })));
    // More than one statement deletes.
    await app.dataSource.query(
      `INSERT INTO provider_call (id, provider, operation, outcome, tries, milliseconds, exchanges, started_at)
       SELECT gen_random_uuid(), 'aged', 'verify', 'OK', 1, 1, '[]', '2020-01-01' FROM generate_series(1, 5001)`,
    );

    await deleteOldProviderCalls(app.dataSource.manager, 4 * hour);

    expect((await stored('aging')).map(({ startedAt }) => startedAt)).toEqual([begun[1], begun[0]]);
    expect(await stored('aged')).toEqual([]);
  });
});

describe('a database that goes away', () => {
  let proxy: CuttableProxy;
  let behindProxy: DataSource;
  beforeAll(async () => {
    const address = new URL(app.databaseUrl);
    proxy = await startCuttableProxy({ host: address.hostname, port: Number(address.port) });
    address.host = `127.0.0.1:${proxy.port}`;
    behindProxy = await createDataSource({ url: address.href, poolSize: 2 }).initialize();
  });
  afterAll(async () => {
    await behindProxy.destroy();
    await proxy.cut();
  });

  test('loses nothing of what fits, writes it once, and is told once', async () => {
    const { said, log } = listeningLog();
    const providerLog = new ProviderLog(behindProxy.manager, log, 8);
    await proxy.cut();
    for (let number = 0; number < 5; number += 1)
      providerLog.add({ ...CALL, provider: 'outage', tries: number });
    await eventually(() => expect(said).toHaveLength(1));
    for (let number = 5; number < 20; number += 1)
      providerLog.add({ ...CALL, provider: 'outage', tries: number });
    await sleep(600);
    await proxy.restore();

    await eventually(async () => expect(await stored('outage')).toHaveLength(8));
    providerLog.add({ ...CALL, provider: 'outage', tries: 100 });
    await providerLog.close();

    expect((await stored('outage')).map(({ tries }) => tries)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 100]);
    expect(said).toEqual([
      'the provider log could not be written; it is tried again',
      'the provider log is full: calls are dropped until it is written',
    ]);
  });

  test('does not hold up the end', async () => {
    const { said, log } = listeningLog();
    const providerLog = new ProviderLog(behindProxy.manager, log);
    await proxy.cut();
    providerLog.add(CALL);
    const began = performance.now();
    await providerLog.close();
    expect(performance.now() - began).toBeLessThan(6_000);
    expect(said.at(-1)).toBe('the end of the provider log was not written');
    await proxy.restore();
  });
});
