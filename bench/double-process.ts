import { startStripeDouble } from '../src/sandbox/stripe/stripe-double.js';

/** A Stripe that answers at once and never notifies: the benchmark makes its own notifications. */
export interface DoubleSettings {
  readonly secretKey: string;
  readonly webhookSecret: string;
}

const { secretKey, webhookSecret } = JSON.parse(process.argv[2]!) as DoubleSettings;
const double = await startStripeDouble({
  secretKey,
  webhookSecret,
  publishableKey: 'pk_test_bench',
  webhookUrl: () => 'http://127.0.0.1:9/',
  webhooks: false,
  events: false,
  maxObjects: 5_000,
});
process.on('disconnect', () => process.exit());
process.on('SIGINT', () => {});
process.send?.({ port: Number(double.url.port) });
