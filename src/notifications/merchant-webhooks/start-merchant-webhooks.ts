import type { LookupFunction } from 'node:net';
import type { EntityManager } from 'typeorm';
import type { Logger } from 'pino';
import type { Task } from '../../jobs/job-runner.js';
import { startCourier } from './courier.js';
import { DELIVER_WEBHOOKS } from './deliver-events.js';
import { EndpointSecrets } from './endpoint-secrets.js';
import type { MerchantWebhooks } from './merchant-webhook-context.js';
import { anyNetwork, publicNetwork } from './receiver-network.js';
import type { AnnounceDisabled } from './try-delivery.js';

/** What the specification asks for: 15 to 30 s. */
const TIMEOUT_MILLISECONDS = 15_000;

export interface MerchantWebhookSettings {
  /** Whether they may go to private addresses, and without TLS. Never in production. */
  readonly allowPrivate?: boolean;
  /** For one try. */
  readonly timeoutMilliseconds?: number;
  /** Another one than the system's, for tests. */
  readonly lookup?: LookupFunction;
}

export interface RunningMerchantWebhooks extends MerchantWebhooks {
  readonly tasks: readonly Task[];
  /** Nothing is sent before, so that actions may be asked for while the rest of the house is put together. */
  start(pauseMilliseconds: number): void;
  /** After it, nothing is sent. */
  stop(): Promise<void>;
}

/** @param secret the installation's secret. */
export function prepareMerchantWebhooks(
  manager: EntityManager,
  secret: string,
  { allowPrivate = false, timeoutMilliseconds = TIMEOUT_MILLISECONDS, lookup }: MerchantWebhookSettings,
  announceDisabled: AnnounceDisabled,
  now: () => Date,
  log: Logger,
): RunningMerchantWebhooks {
  const secrets = new EndpointSecrets(secret);
  const network = allowPrivate ? anyNetwork(lookup) : publicNetwork(lookup);
  let courier: ReturnType<typeof startCourier> | undefined;
  const wakeCourier = () => courier?.wake();
  return {
    secrets,
    allowPrivate,
    wakeCourier,
    tasks: [{ name: DELIVER_WEBHOOKS, run: () => Promise.resolve(wakeCourier()) }],
    start(pauseMilliseconds) {
      const dependencies = { manager, secrets, network, timeoutMilliseconds, announceDisabled, now, log };
      courier = startCourier(dependencies, pauseMilliseconds);
    },
    stop: async () => courier?.stop(),
  };
}
