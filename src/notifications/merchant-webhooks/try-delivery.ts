import type { EntityManager } from 'typeorm';
import type { Logger } from 'pino';
import { giveBack, type ClaimedDelivery } from './claim-deliveries.js';
import { disableEndpoint, type DisabledEndpoint } from './disable-endpoint.js';
import type { EndpointSecrets } from './endpoint-secrets.js';
import { postMessage, Stopped, type Answer } from './post-message.js';
import type { ReceiverNetwork } from './receiver-network.js';
import { recordTry, type FinishedTry } from './record-try.js';
import { pauseMillisecondsAfter, restMilliseconds } from './retry-schedule.js';
import { refusalOfUrl } from './endpoint-url.js';
import type { DisabledReason } from './webhook-endpoint.js';

export interface DeliveryDependencies {
  readonly manager: EntityManager;
  readonly secrets: EndpointSecrets;
  readonly network: ReceiverNetwork;
  /** For one try. */
  readonly timeoutMilliseconds: number;
  readonly announceDisabled: AnnounceDisabled;
  /** The database's clock: receivers refuse signatures whose time is far from theirs. */
  readonly now: () => Date;
  readonly log: Logger;
}

/** Tells the merchant, in the transaction that disables the endpoint. */
export type AnnounceDisabled = (manager: EntityManager, endpoint: DisabledEndpoint) => Promise<void>;

/** In the audit log. */
const ACTOR = 'job:merchant-webhooks';

/** The message can't be wanted any more. */
const GONE = 410;

/** 429 and 503 may say when to come again. */
const COME_LATER: readonly (number | null)[] = [429, 503];

/** Longer than the schedule of one message: whatever was wrong is not going to pass by itself. */
const DISABLED_AFTER_MILLISECONDS = 5 * 24 * 60 * 60 * 1_000;

/**
 * One try, from signing to what it means. Where it ends is written down in one statement after the answer: if we die
 * before, the claim ends, and the same message with the same id is sent again.
 */
export async function tryDelivery(
  dependencies: DeliveryDependencies,
  delivery: ClaimedDelivery,
  stop: AbortSignal,
): Promise<void> {
  const { manager, log } = dependencies;
  try {
    const finished = await send(dependencies, delivery, stop);
    const failingSince = await recordTry(manager, delivery, finished);
    const reason = reasonToDisable(finished, failingSince);
    if (reason !== null) await disable(dependencies, delivery, reason);
    else if (!finished.succeeded && finished.pauseMilliseconds === null) {
      log.warn(fieldsOf(delivery), 'a webhook to the merchant was tried often enough, and has failed');
    }
  } catch (error) {
    if (error instanceof Stopped) await giveBack(manager, delivery);
    // Its claim ends soon, and then it is tried again.
    else log.error({ err: error, ...fieldsOf(delivery) }, 'a webhook to the merchant could not be tried');
  }
}

async function send(
  { secrets, network, timeoutMilliseconds, now }: DeliveryDependencies,
  delivery: ClaimedDelivery,
  stop: AbortSignal,
): Promise<FinishedTry> {
  const { url, messageId, payload: text } = delivery;
  const startedAt = now();
  const signature = secrets.sign(delivery, messageId, startedAt, text);
  const requestHeaders = {
    'content-type': 'application/json',
    'user-agent': 'Quittance',
    'webhook-id': messageId,
    'webhook-timestamp': String(Math.floor(startedAt.getTime() / 1_000)),
  };
  const headers = { ...requestHeaders, 'webhook-signature': signature };
  // Registered while private addresses were allowed, perhaps.
  const refusal = refusalOfUrl(url, network.allowPrivate);
  const answer =
    refusal === null
      ? await postMessage({ url, headers, text }, network, timeoutMilliseconds, stop)
      : { status: null, body: null, error: `The URL is not allowed. ${refusal}`, milliseconds: 0 };
  return { requestHeaders, answer, startedAt, ...judge(answer, delivery.tries + 1) };
}

/** Only a whole answer of 2xx is success; 3xx is a failure like any other. */
function judge(
  { status, error, retryAfter }: Answer,
  tries: number,
): Pick<FinishedTry, 'succeeded' | 'pauseMilliseconds' | 'restMilliseconds'> {
  const succeeded = error === null && status !== null && status >= 200 && status < 300;
  const rest = COME_LATER.includes(status) ? restMilliseconds(retryAfter) : null;
  const pause = succeeded || status === GONE ? null : pauseMillisecondsAfter(tries);
  return {
    succeeded,
    pauseMilliseconds: pause === null ? null : Math.max(pause, rest ?? 0),
    restMilliseconds: rest,
  };
}

/**
 * An endpoint that fails is given up when a message has gone through the whole schedule in vain, and no other has
 * arrived for days: one bad moment after a quiet week is not enough.
 */
function reasonToDisable(
  { succeeded, answer, pauseMilliseconds, startedAt }: FinishedTry,
  failingSince: Date | null,
): DisabledReason | null {
  if (succeeded) return null;
  if (answer.status === GONE) return 'GONE';
  if (pauseMilliseconds !== null || failingSince === null) return null;
  return startedAt.getTime() - failingSince.getTime() >= DISABLED_AFTER_MILLISECONDS ? 'FAILING' : null;
}

async function disable(
  { manager, announceDisabled, log }: DeliveryDependencies,
  delivery: ClaimedDelivery,
  reason: DisabledReason,
): Promise<void> {
  const disabled = await manager.transaction(async (transaction) => {
    const endpoint = await disableEndpoint(transaction, delivery.endpointId, reason, ACTOR);
    if (endpoint) await announceDisabled(transaction, endpoint);
    return endpoint;
  });
  if (disabled === null) return;
  log.error(
    { webhookEndpoint: disabled.reference, url: delivery.url, reason },
    'an endpoint of the merchant was disabled: it hears no more of payments until it is enabled again',
  );
}

function fieldsOf({ messageId, url }: ClaimedDelivery): object {
  return { webhookDelivery: messageId, url };
}
