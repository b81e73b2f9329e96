import type { Email } from 'postal-mime';
import { idOf, verified, type ReceivedMessage } from '../support/merchant-receiver.js';
import type { CrashPoint } from './crash-point.js';
import type { Shop } from './shop.js';

/** Who was told what of an order. Each message counts once, by the id that its receiver knows it by. */
export interface WhatWasTold {
  /** The subjects of all e-mails about it, whomever they went to; the order's own name is left out. */
  readonly mails: readonly string[];
  /** What the merchant's backend heard of its payment, in the order of its versions. */
  readonly webhooks: readonly string[];
  /** What is still to be sent, or was given up, of this order or another one. */
  readonly unsent: number;
}

const TELLING = /email_message|webhook_deliver|webhook_try|graphile_worker|^POST \/webhooks$/;

/** Whether it is a step of telling somebody, by e-mail or webhook. */
export function isOfTelling({ label }: CrashPoint): boolean {
  return TELLING.test(label);
}

const UNSENT = `
  SELECT (SELECT count(*)::integer FROM email_message WHERE status <> 'SENT')
    + (SELECT count(*)::integer FROM webhook_delivery WHERE status <> 'SUCCEEDED') AS unsent`;

export async function whatWasTold(shop: Shop, orderId: string, paymentId: string): Promise<WhatWasTold> {
  const [row] = await shop.database.query<{ unsent: number }[]>(UNSENT);
  const mails = await mailsAbout(shop, orderId);
  return {
    mails: mails.map(({ subject = '' }) => withPlainSpaces(subject.replace(orderId, '…'))).sort(),
    webhooks: webhooksOf(shop, paymentId),
    unsent: row!.unsent,
  };
}

/**
 * One of each Message-ID. The same one may come twice only where a try was cut off: between the mail server's yes and our
 * writing it down.
 */
async function mailsAbout({ mailServer, database }: Shop, orderId: string): Promise<Email[]> {
  const rows = await database.query<{ id: string; tries: number }[]>(
    `SELECT '<' || m.id || '.' || m.edition || '@shop.example>' AS id, m.tries
     FROM email_message m JOIN orders o ON o.id = m.order_id WHERE o.reference = $1`,
    [orderId],
  );
  const tries = new Map(rows.map((row) => [row.id, row.tries]));
  const mails = mailServer.mails.filter(({ subject }) => subject?.includes(orderId));
  return groups(mails, ({ messageId }) => messageId!).map((same) => {
    expect(same.length).toBeLessThanOrEqual(tries.get(same[0]!.messageId!) ?? 0);
    expect(new Set(same.map(({ subject, text }) => `${subject}\n${text}`)).size).toBe(1);
    return same[0]!;
  });
}

/** Each is genuine, and says the same however often it comes. */
function webhooksOf({ receiver, webhookSecret }: Shop, paymentId: string): string[] {
  const messages = receiver.received.filter(({ text }) => text.includes(`"${paymentId}"`));
  return groups(messages, idOf)
    .map((same: readonly ReceivedMessage[]) => {
      expect(new Set(same.map(({ text }) => text)).size).toBe(1);
      const { type, data } = verified(same.at(-1)!, webhookSecret);
      return { type: type as string, version: data.version as number };
    })
    .sort((one, other) => one.version - other.version)
    .map(({ type, version }) => `${version} ${type}`);
}

function groups<One>(all: readonly One[], idOfOne: (one: One) => string): One[][] {
  return [...new Set(all.map(idOfOne))].map((id) => all.filter((one) => idOfOne(one) === id));
}

/** Amounts are written with spaces at which no line breaks. */
export function withPlainSpaces(text: string): string {
  return text.replace(/\s/g, ' ');
}
