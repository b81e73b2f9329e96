import { pino } from 'pino';
import { startApp } from '../../src/app.js';
import { createDataSource } from '../../src/database/data-source.js';
import { createBankProvider } from '../../src/providers/bank/bank-provider.js';
import { createStripeProvider } from '../../src/providers/stripe/stripe-provider.js';
import { startCuttableProxy, type CuttableProxy } from './cuttable-proxy.js';
import {
  BANK_WEBHOOK_SECRET,
  SECRET,
  SHOP_ORIGIN,
  STRIPE_WEBHOOK_SECRET,
  type RunningApp,
} from './running-app.js';

/** A second node on the same database, which can be cut off from it. */
export interface NodeBehindProxy {
  readonly url: string;
  readonly webSocketUrl: string;
  readonly database: CuttableProxy;
  stop(): Promise<void>;
}

export async function startNodeBehindProxy(app: RunningApp): Promise<NodeBehindProxy> {
  const address = new URL(app.databaseUrl);
  const database = await startCuttableProxy({ host: address.hostname, port: Number(address.port) });
  address.host = `127.0.0.1:${database.port}`;
  const dataSource = await createDataSource({
    url: address.href,
    poolSize: 6,
    applicationName: 'behind the proxy',
  }).initialize();
  const node = await startApp({
    dataSource,
    providers: [
      createStripeProvider({
        secretKey: 'sk_test_never_called',
        publishableKey: 'pk_test_of_tests',
        webhookSecrets: [STRIPE_WEBHOOK_SECRET],
        apiBase: app.stripe.url,
      }),
      createBankProvider({
        name: 'bank-x',
        baseUrl: app.bank.url,
        apiKey: 'bank-api-key',
        webhookSecrets: [BANK_WEBHOOK_SECRET],
      }),
    ],
    secret: SECRET,
    allowedOrigins: [SHOP_ORIGIN],
    introspection: false,
    reservationMilliseconds: 60_000,
    orderTokenMilliseconds: 60_000,
    jobPauseMilliseconds: 50,
    host: '127.0.0.1',
    port: 0,
    log: pino({ level: process.env.TEST_LOG_LEVEL ?? 'silent' }),
  });
  return {
    url: `http://127.0.0.1:${node.port}`,
    webSocketUrl: `ws://127.0.0.1:${node.port}/graphql`,
    database,
    async stop() {
      await node.close();
      await dataSource.destroy();
      await database.cut();
    },
  };
}
