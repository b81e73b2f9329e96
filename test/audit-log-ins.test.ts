import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { eventually } from './support/eventually.js';
import { OrderTokens } from '../src/access/order-token.js';
import { SECRET, startTestApp, type RunningApp } from './support/running-app.js';

const PRODUCTS = '{ products { sku } }';

interface Entry {
  readonly subject: string;
  readonly actor: string;
  readonly after: { readonly reason: string; readonly times: number };
}

describe('refused log-ins', () => {
  let app: RunningApp;
  beforeEach(async () => {
    app = await startTestApp({ trustedProxies: ['loopback'] });
  });
  afterEach(() => app.stop());

  const entries = () =>
    app.dataSource.query<Entry[]>(
      `SELECT subject, actor, after FROM audit_log WHERE action = 'log_in.refused' ORDER BY id`,
    );

  const ask = (token: string, address: string) =>
    fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-forwarded-for': address,
        authorization: `Bearer ${token}`,
      },
      body: JSON.stringify({ query: PRODUCTS }),
    });

  it('are in the audit log, by address and reason, once at first, and counted afterwards', async () => {
    for (let n = 0; n < 20; n += 1) expect((await ask(`qk_guess${n}`, '203.0.113.1')).status).toBe(401);
    await ask('nonsense', '203.0.113.1');
    await ask('qk_guess', '203.0.113.2');
    // A payer who comes back after a day.
    await ask(await new OrderTokens(SECRET, -1_000).sign('ORD-1'), '203.0.113.3');
    await eventually(entries, (all) => all.length === 3);
    await app.restart();
    const all = await entries();
    expect(all).toEqual([
      {
        subject: 'address:203.0.113.1',
        actor: 'anonymous',
        after: { reason: expect.stringContaining('API key'), times: 1 },
      },
      {
        subject: 'address:203.0.113.1',
        actor: 'anonymous',
        after: { reason: 'The token is not valid.', times: 1 },
      },
      {
        subject: 'address:203.0.113.2',
        actor: 'anonymous',
        after: { reason: expect.stringContaining('API key'), times: 1 },
      },
      {
        subject: 'address:203.0.113.1',
        actor: 'anonymous',
        after: { reason: expect.stringContaining('API key'), times: 19 },
      },
    ]);
    expect(JSON.stringify(all)).not.toMatch(/guess|nonsense/);
  });

  it('are there from a WebSocket, too', async () => {
    const client = createClient({
      url: app.webSocketUrl,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      lazy: false,
      onNonLazyError: () => undefined,
      connectionParams: { authorization: 'Bearer qk_guess' },
    });
    await eventually(entries, (all) => all.length === 1);
    await client.dispose();
  });

  it('from many addresses are one entry more, and not one for each', async () => {
    await Promise.all(
      Array.from({ length: 80 }, (_, n) => ask('qk_guess', `203.0.${Math.floor(n / 200)}.${n}`)),
    );
    await app.restart();
    const all = await entries();
    expect(all).toHaveLength(51);
    expect(all.at(-1)).toMatchObject({ subject: 'address:many', after: { times: 30 } });
  });
});
