import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import Stripe from 'stripe';
import { toProviderFailure } from './failures.js';
import { watchedHttpClient, watchTries } from './tries.js';

export interface StripeClientOptions {
  readonly secretKey: string;
  /** Where Stripe's API is, for the sandbox's double. Only scheme, host and port are used. */
  readonly apiBase?: URL;
  /** For one try. A call has up to three, half a second to a second apart. */
  readonly timeoutMilliseconds?: number;
}

/** The SDK, and the one way to call it: whatever goes wrong comes out as a `ProviderFailure`. */
export interface StripeClient {
  call<Answer>(request: (stripe: Stripe) => Promise<Answer>): Promise<Answer>;
}

/** Stripe answers nearly every call within two seconds; a payer should not wait much longer than this. */
const TIMEOUT_MILLISECONDS = 10_000;

/** Safe, because every call that changes something carries an idempotency key, which the SDK keeps across its tries. */
const MAX_NETWORK_RETRIES = 2;

/** As many as Stripe gives at once. */
const PAGE_SIZE = 100;

/** All that a list of Stripe's holds, newest first, asked for page by page. */
export async function* everyItem<Item extends { readonly id: string }>(
  client: StripeClient,
  listPage: (stripe: Stripe, page: Stripe.PaginationParams) => Promise<Stripe.ApiList<Item>>,
): AsyncGenerator<Item, void, undefined> {
  let last: Item | undefined;
  for (;;) {
    const page = { limit: PAGE_SIZE, ...(last && { starting_after: last.id }) };
    const { data, has_more: hasMore } = await client.call((stripe) => listPage(stripe, page));
    yield* data;
    last = data.at(-1);
    if (!hasMore || !last) return;
  }
}

export function createStripeClient(options: StripeClientOptions): StripeClient {
  const timeout = options.timeoutMilliseconds ?? TIMEOUT_MILLISECONDS;
  const stripe = new Stripe(options.secretKey, {
    ...addressOf(options.apiBase),
    httpClient: watchedHttpClient(Stripe.createNodeHttpClient(keepAliveAgent(options.apiBase, timeout))),
    timeout,
    maxNetworkRetries: MAX_NETWORK_RETRIES,
    telemetry: false,
  });
  return {
    call: (request) =>
      watchTries(
        () => request(stripe),
        (error, tries) => toProviderFailure(error, tries.oneMayHaveArrived),
      ),
  };
}

function addressOf(apiBase: URL | undefined): Stripe.StripeConfig {
  if (!apiBase) return {};
  const protocol = apiBase.protocol === 'http:' ? 'http' : 'https';
  return { protocol, host: apiBase.hostname, port: apiBase.port || (protocol === 'http' ? 80 : 443) };
}

/** The SDK's own timeout starts when the connection stands; the agent's covers the connecting too. */
function keepAliveAgent(apiBase: URL | undefined, timeout: number): HttpAgent {
  return apiBase?.protocol === 'http:'
    ? new HttpAgent({ keepAlive: true, timeout })
    : new HttpsAgent({ keepAlive: true, timeout });
}
