import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { ProvidersHealth, type ProviderHealth } from '../src/providers/health.js';
import type { OperatorAvailability, Provider } from '../src/providers/provider.js';
import { createStripeProvider } from '../src/providers/stripe/stripe-provider.js';
import { watchAvailability } from '../src/providers/watch-availability.js';
import { codeOf, dataOf, RETURN_URL, startTestApp, type RunningApp } from './support/running-app.js';
import { eventually } from './support/eventually.js';
import { subscribe, type Subscriber } from './support/subscriber.js';

const PROVIDER = 'pawapay';

const MTN: OperatorAvailability = {
  code: 'MTN_MOMO_BEN',
  name: 'MTN MoMo',
  country: 'BJ',
  status: 'OPEN',
};
const MOOV: OperatorAvailability = { code: 'MOOV_BEN', name: 'Moov Money', country: 'BJ', status: 'OPEN' };

describe('what is known of a provider', () => {
  let now: Date;
  let health: ProvidersHealth;
  let changes: ProviderHealth[];

  beforeEach(() => {
    now = new Date('2026-03-01T12:00:00Z');
    health = new ProvidersHealth(() => now);
    health.add(PROVIDER, ['initiate', 'reserve', 'verify']);
    changes = [];
    health.onChange((change) => changes.push(change));
  });

  const later = (seconds: number) => (now = new Date(now.getTime() + seconds * 1_000));
  const status = () => health.of(PROVIDER)!.status;
  const fail = (operation: 'initiate' | 'verify', times = 1) => {
    for (let failures = 0; failures < times; failures += 1)
      health.noteFailure(PROVIDER, operation, 'HTTP_503');
  };

  it('is that it is well, until a call of it fails', () => {
    expect(health.all()).toEqual([
      {
        provider: PROVIDER,
        status: 'HEALTHY',
        since: now,
        operations: ['initiate', 'reserve', 'verify'].map((operation) => ({
          operation,
          circuit: 'CLOSED',
          consecutiveFailures: 0,
        })),
        operators: [],
      },
    ]);
    expect(health.of('nobody')).toBeUndefined();
    expect(health.isTaking('nobody')).toBe(true);
  });

  it('is degraded after two failures to begin a payment in a row, and well again after an answer', () => {
    const start = now;
    later(1);
    fail('initiate');
    expect(health.of(PROVIDER)).toMatchObject({ status: 'HEALTHY', since: start });
    const second = later(1);
    fail('initiate');
    expect(health.of(PROVIDER)).toMatchObject({ status: 'DEGRADED', since: second });
    later(1);
    fail('initiate');
    expect(health.of(PROVIDER)).toMatchObject({
      since: second,
      operations: [
        { consecutiveFailures: 3, lastFailureAt: now, lastFailureCode: 'HTTP_503' },
        { consecutiveFailures: 0 },
        { consecutiveFailures: 0 },
      ],
    });
    const answered = later(1);
    health.noteAnswer(PROVIDER, 'initiate');
    expect(health.of(PROVIDER)).toMatchObject({
      status: 'HEALTHY',
      since: answered,
      operations: [{ consecutiveFailures: 0, lastSuccessAt: answered }, {}, {}],
    });
    expect(changes.map((change) => change.status)).toEqual(['DEGRADED', 'HEALTHY']);
  });

  it('is degraded when something else than beginning does not work', () => {
    fail('verify', 4);
    expect(status()).toBe('HEALTHY');
    health.noteCircuit(PROVIDER, 'verify', 'OPEN', now);
    expect(status()).toBe('DEGRADED');
    expect(health.isTaking(PROVIDER)).toBe(true);
  });

  it.each(['initiate', 'reserve'] as const)(
    'is down while the circuit of %s isn’t closed, and takes nothing until the pause is over',
    (operation) => {
      const inFiveSeconds = new Date(now.getTime() + 5_000);
      health.noteCircuit(PROVIDER, operation, 'OPEN', inFiveSeconds);
      expect([status(), health.isTaking(PROVIDER)]).toEqual(['DOWN', false]);
      later(4);
      expect(health.isTaking(PROVIDER)).toBe(false);
      later(1);
      expect([status(), health.isTaking(PROVIDER)]).toEqual(['DOWN', true]);
      // Somebody tries: others need not.
      health.noteCircuit(PROVIDER, operation, 'HALF_OPEN', undefined);
      expect([status(), health.isTaking(PROVIDER)]).toEqual(['DOWN', false]);
      health.noteCircuit(PROVIDER, operation, 'CLOSED', undefined);
      expect([status(), health.isTaking(PROVIDER)]).toEqual(['HEALTHY', true]);
      expect(changes).toHaveLength(3);
    },
  );

  it('is told when it changes, and not when it stays as it was; nor to whoever has left', () => {
    const heard: ProviderHealth[] = [];
    const leave = health.onChange((change) => heard.push(change));
    health.setOperators(PROVIDER, [MTN, MOOV]);
    health.setOperators(PROVIDER, [{ ...MTN }, { ...MOOV }]);
    health.noteAnswer(PROVIDER, 'initiate');
    expect([heard.length, status()]).toEqual([1, 'HEALTHY']);
    leave();
    health.setOperators(PROVIDER, [MTN, { ...MOOV, status: 'SLOW' }]);
    expect([heard.length, changes.length, status()]).toEqual([1, 2, 'DEGRADED']);
  });

  it('of its operators is what it last said, also when it doesn’t answer any more', async () => {
    const answers = [
      () => Promise.resolve([MTN, { ...MOOV, status: 'CLOSED' as const }]),
      () => Promise.reject(new Error('no answer')),
    ];
    const silent = createStripeProvider({
      secretKey: 'sk_test_silent',
      publishableKey: 'pk_test_silent',
      webhookSecrets: ['whsec_silent'],
    });
    const provider: Provider = { ...silent, name: PROVIDER, readAvailability: () => answers.shift()!() };
    const log = pino({ level: 'silent' });
    await watchAvailability([silent, provider], health, log);
    expect([health.operatorsOf(PROVIDER), status()]).toEqual([
      [MTN, { ...MOOV, status: 'CLOSED' }],
      'DEGRADED',
    ]);
    await watchAvailability([silent, provider], health, log);
    expect(health.operatorsOf(PROVIDER)).toHaveLength(2);
    expect(health.operatorsOf('stripe')).toEqual([]);
  });
});

const HEALTH = `
  provider status since
  operations { operation circuit nextTryAt consecutiveFailures lastFailureAt lastFailureCode lastSuccessAt }
  operators { code name country status }`;
const QUERY = `{ providerHealth { ${HEALTH} } }`;
const SUBSCRIPTION = `subscription { providerHealthChanged { ${HEALTH} } }`;

describe('operators', () => {
  let app: RunningApp;

  beforeAll(async () => {
    app = await startTestApp({
      resilience: { failuresToOpen: 5, pauseMilliseconds: 300, longestPauseMilliseconds: 300 },
    });
  });
  afterAll(() => app.stop());

  const pay = async () => {
    const { sku } = await app.addProduct();
    const { orderId, token } = await app.order(sku);
    const input = { method: 'BANK', returnUrl: RETURN_URL, idempotencyKey: randomUUID() };
    return app.pay(orderId, token, input);
  };
  const initiateOf = (health: any) =>
    health.operations.find(({ operation }: { operation: string }) => operation === 'initiate');

  it('see how each provider is doing', async () => {
    const { providerHealth } = await eventually(
      async () => dataOf(await app.graphql(QUERY, {}, app.operatorToken)),
      (data) => data.providerHealth[2].operators.length > 0,
    );
    expect(providerHealth).toMatchObject([
      { provider: 'stripe', status: 'HEALTHY', since: expect.any(String), operators: [] },
      { provider: 'bank-x', status: 'HEALTHY', operators: [] },
      { provider: 'pawapay', status: 'HEALTHY', operators: expect.arrayContaining([MTN]) },
      { provider: 'paydunya', status: 'HEALTHY', operators: [] },
    ]);
    expect(initiateOf(providerHealth[0])).toMatchObject({
      circuit: 'CLOSED',
      consecutiveFailures: 0,
      lastFailureAt: null,
      nextTryAt: null,
    });
  });

  it('watch a provider go down, and come back', async () => {
    const watcher: Subscriber = subscribe(app.webSocketUrl, SUBSCRIPTION, {}, app.operatorToken);
    await watcher.until((heard) => heard.length === 4);
    expect(watcher.heard.map(({ provider, status }) => [provider, status])).toEqual(
      ['stripe', 'bank-x', 'pawapay', 'paydunya'].map((name) => [name, 'HEALTHY']),
    );
    app.bank.answerNext('createPayment', { kind: 'status', status: 503 }, 5);
    for (let failures = 0; failures < 5; failures += 1) await pay();
    const [degraded, down] = (await watcher.until((heard) => heard.length === 6)).slice(4);
    expect(degraded).toMatchObject({ provider: 'bank-x', status: 'DEGRADED' });
    expect(down).toMatchObject({ provider: 'bank-x', status: 'DOWN' });
    expect(initiateOf(down)).toMatchObject({
      circuit: 'OPEN',
      consecutiveFailures: 5,
      lastFailureCode: 'HTTP_503',
      nextTryAt: expect.any(String),
    });
    await sleep(310);
    await pay();
    const [trying, back] = (await watcher.until((heard) => heard.length === 8)).slice(6);
    expect(trying).toMatchObject({ status: 'DOWN' });
    expect(initiateOf(trying)).toMatchObject({ circuit: 'HALF_OPEN', nextTryAt: null });
    expect(back).toMatchObject({ status: 'HEALTHY' });
    expect(initiateOf(back)).toMatchObject({ circuit: 'CLOSED', consecutiveFailures: 0 });
    await watcher.close();
  });

  it('alone may: payers, backends and strangers are refused', async () => {
    const { sku } = await app.addProduct();
    const { token } = await app.order(sku);
    const refusals: [string | undefined, string][] = [
      [token, 'FORBIDDEN'],
      [app.apiKey, 'FORBIDDEN'],
      [undefined, 'UNAUTHENTICATED'],
    ];
    for (const [credential, code] of refusals) {
      expect(codeOf(await app.graphql(QUERY, {}, credential))).toBe(code);
      const watcher = subscribe(app.webSocketUrl, SUBSCRIPTION, {}, credential);
      await watcher.untilEnded();
      expect(watcher.errors.flat()).toMatchObject([{ extensions: { code } }]);
      expect(watcher.heard).toEqual([]);
      await watcher.close();
    }
  });
});
