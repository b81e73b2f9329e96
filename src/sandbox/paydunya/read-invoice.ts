import type { InvoiceActions, InvoiceOrder, JsonObject } from './invoice.js';
import { magicOf } from './magic-amounts.js';
import { Refused } from './refused.js';

/** What creating an invoice asks for. @throws {Refused} */
export function readInvoiceOrder(body: JsonObject): InvoiceOrder {
  const invoice = readObject(body, 'invoice');
  const totalAmount = readTotal(invoice);
  return {
    totalAmount,
    description: readOptionalText(invoice, 'description') ?? '',
    items: readRows(invoice, 'items', /^item_\d+$/),
    taxes: readRows(invoice, 'taxes', /^tax_\d+$/),
    channels: readChannels(invoice),
    storeName: readText(readObject(body, 'store'), 'name'),
    actions: readActions(readObject(body, 'actions', {})),
    customData: readObject(body, 'custom_data', {}),
  };
}

/** @param otherwise what it is when it is left out. Left out, it is refused. */
export function readObject(body: JsonObject, name: string, otherwise?: JsonObject): JsonObject {
  const value = body[name] ?? otherwise;
  // PHP writes an empty object as an empty list.
  if (Array.isArray(value) && value.length === 0 && otherwise) return otherwise;
  if (typeof value !== 'object' || Array.isArray(value)) throw new Refused(`${name} must be an object`);
  return value as JsonObject;
}

export function readText(body: JsonObject, name: string): string {
  const value = readOptionalText(body, name);
  if (value === undefined || value.trim() === '') throw new Refused(`${name} is missing`);
  return value;
}

/** Whole francs. */
export function readFrancs(body: JsonObject, name: string): number {
  const value = body[name];
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value;
  throw new Refused(`${name} must be a whole number of francs`);
}

function readTotal(invoice: JsonObject): number {
  const total = readFrancs(invoice, 'total_amount');
  if (magicOf(total).creating === 'REFUSED') throw new Refused('total_amount is refused');
  return total;
}

function readOptionalText(body: JsonObject, name: string): string | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw new Refused(`${name} must be a text`);
  return value;
}

/** An object whose names are numbered, each with a `name` in it. */
function readRows(invoice: JsonObject, name: string, numbered: RegExp): JsonObject {
  const rows = readObject(invoice, name, {});
  for (const row of Object.keys(rows)) {
    if (!numbered.test(row)) throw new Refused(`${name} has no ${row}`);
    readText(readObject(rows, row), 'name');
  }
  return rows;
}

function readChannels(invoice: JsonObject): readonly string[] {
  const channels = invoice['channels'] ?? [];
  if (Array.isArray(channels) && channels.every((channel) => typeof channel === 'string')) return channels;
  throw new Refused('channels must be a list of texts');
}

function readActions(actions: JsonObject): InvoiceActions {
  const urls: Record<string, string> = {};
  for (const name of ['cancel_url', 'return_url', 'callback_url']) {
    const url = readOptionalText(actions, name);
    if (url === undefined) continue;
    if (!/^https?:\/\/./.test(url) || !URL.canParse(url)) throw new Refused(`${name} is no URL`);
    urls[name] = url;
  }
  return urls;
}
