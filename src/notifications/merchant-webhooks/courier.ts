import { setMaxListeners } from 'node:events';
import { repeatJob } from '../../jobs/repeat.js';
import { claimDeliveries, type ClaimedDelivery } from './claim-deliveries.js';
import { tryDelivery, type DeliveryDependencies } from './try-delivery.js';

export interface Courier {
  /** There is something to deliver. What nobody has said is found by looking. */
  wake(): void;
  /** Lets tries under way finish for a moment, breaks them off then, and sends nothing more. */
  stop(): Promise<void>;
}

/**
 * At once, from this node. Tries wait for others, and take no worker of the job runner and no connection to the database
 * meanwhile: so there can be many.
 */
const PLACES = 256;

/** Beyond so many, an endpoint gets a place only while it has none: those that hang can't take them all. */
const PLACES_FOR_MORE_THAN_ONE = 128;

/** To one endpoint at once, while there are places. */
const SIDE_BY_SIDE = 8;

const STOP_GRACE_MILLISECONDS = 5_000;

/** Delivers what is due, each endpoint in a lane of its own. */
export function startCourier(dependencies: DeliveryDependencies, pauseMilliseconds: number): Courier {
  const tries = new Set<Promise<void>>();
  const underWay = new Map<string, number>();
  const stopping = new AbortController();
  // Each try listens; Node would warn of a leak from the eleventh on.
  setMaxListeners(0, stopping.signal);

  const begin = (delivery: ClaimedDelivery): void => {
    const { endpointId } = delivery;
    underWay.set(endpointId, (underWay.get(endpointId) ?? 0) + 1);
    const ended = tryDelivery(dependencies, delivery, stopping.signal)
      // The database can't even be told that it was not tried: the claim ends by itself.
      .catch((error: unknown) => dependencies.log.error({ err: error }, 'a webhook could not be given back'))
      .finally(() => {
        tries.delete(ended);
        const left = underWay.get(endpointId)! - 1;
        if (left > 0) underWay.set(endpointId, left);
        else underWay.delete(endpointId);
        // Others may have waited for the place.
        job.wake();
      });
    tries.add(ended);
  };

  const round = async (): Promise<void> => {
    const isRoomy = tries.size < PLACES_FOR_MORE_THAN_ONE;
    const places = (isRoomy ? PLACES_FOR_MORE_THAN_ONE : PLACES) - tries.size;
    if (places === 0) return;
    const lane = isRoomy ? SIDE_BY_SIDE : 1;
    const claimed = await claimDeliveries(dependencies.manager, underWay, lane, places);
    claimed.forEach(begin);
    if (claimed.length === places) job.wake();
  };
  const job = repeatJob('deliver webhooks to the merchant', pauseMilliseconds, round, dependencies.log);

  return {
    wake: () => job.wake(),
    async stop() {
      await job.stop();
      const grace = setTimeout(() => stopping.abort(), STOP_GRACE_MILLISECONDS);
      await Promise.all(tries);
      clearTimeout(grace);
    },
  };
}
