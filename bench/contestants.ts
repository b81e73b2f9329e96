import type { RunningProcess } from './child-process.js';
import type { Answer } from './http-connection.js';
import { createRequest, floorCreateRequest, type Notifications } from './requests.js';
import type { Contestant } from './rounds.js';
import type { Shop } from './stage.js';
import { addOrders, addPendingPayments } from './supply.js';

const answeredWell = ({ status }: Answer): boolean => status === 200;

/** GraphQL answers 200 to errors, too. */
const openedPayment = ({ status, body }: Answer): boolean =>
  status === 200 && body.includes('"clientSecret"') && !body.includes('"errors"');

export function ourCreate(name: string, shop: Shop, productIds = shop.productIds): Contestant {
  return {
    ...{ name, port: shop.server.port, pid: shop.server.pid, isGood: openedPayment },
    prepare: async (count) =>
      Promise.all((await addOrders(shop.client, productIds, count)).map(createRequest)),
  };
}

export function ourWebhook(
  name: string,
  shop: Shop,
  notifications: Notifications,
  productIds = shop.productIds,
): Contestant {
  return webhook(name, shop.server, '/webhooks/stripe', shop, notifications, productIds);
}

export function floorCreate(
  name: string,
  path: string,
  floor: RunningProcess,
  shop: Shop,
  productIds = shop.productIds,
): Contestant {
  return {
    ...{ name, port: floor.port, pid: floor.pid, isGood: openedPayment },
    prepare: async (count) =>
      (await addOrders(shop.client, productIds, count)).map((order) => floorCreateRequest(path, order)),
  };
}

export function floorWebhook(
  name: string,
  path: string,
  floor: RunningProcess,
  shop: Shop,
  notifications: Notifications,
  productIds = shop.productIds,
): Contestant {
  return webhook(name, floor, path, shop, notifications, productIds);
}

function webhook(
  name: string,
  { port, pid }: RunningProcess,
  path: string,
  { client }: Shop,
  notifications: Notifications,
  productIds: readonly string[],
): Contestant {
  return {
    ...{ name, port, pid, isGood: answeredWell },
    prepare: async (count) => {
      const payments = await addPendingPayments(client, productIds, count);
      return payments.map((payment) => notifications.request(path, payment));
    },
  };
}
