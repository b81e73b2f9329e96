import { type Currency, fromDecimal, isCurrency } from '../../money.js';
import { HttpProblem } from '../http-exchange.js';
import type { PaymentOrder } from './bank-ledger.js';
import type { RefundOrder } from './refund-ledger.js';

const REFERENCE = /^[\w.-]{1,64}$/;

export function readOrder(body: Record<string, unknown>): PaymentOrder {
  const currency = readCurrency(body['currency']);
  return {
    reference: readText(body, 'reference', REFERENCE),
    amount: readAmount(body['amount'], currency),
    currency,
    description: readText(body, 'description', /^[^]{1,500}$/),
    returnUrl: readUrl(body, 'return_url'),
    notificationUrl: body['notification_url'] === undefined ? undefined : readUrl(body, 'notification_url'),
    locale: typeof body['locale'] === 'string' ? body['locale'] : 'en',
    expiresAt: readTime(body, 'expires_at'),
  };
}

/** @param currency the payment's: nothing is given back in another. */
export function readRefundOrder(body: Record<string, unknown>, currency: Currency): RefundOrder {
  if (body['currency'] !== currency) throw new HttpProblem(422, 'bad_currency');
  return {
    reference: readText(body, 'reference', REFERENCE),
    amount: readAmount(body['amount'], currency),
    transferId: body['transfer_id'] === undefined ? undefined : readText(body, 'transfer_id', REFERENCE),
  };
}

export function readTime(fields: Record<string, unknown>, field: string): Date {
  const time = new Date(readText(fields, field, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/));
  if (Number.isNaN(time.getTime())) throw new HttpProblem(422, `bad_${field}`);
  return time;
}

function readText(body: Record<string, unknown>, field: string, pattern: RegExp): string {
  const value = body[field];
  if (typeof value !== 'string' || !pattern.test(value)) throw new HttpProblem(422, `bad_${field}`);
  return value;
}

function readUrl(body: Record<string, unknown>, field: string): string {
  const value = readText(body, field, /^https?:\/\/./);
  if (!URL.canParse(value)) throw new HttpProblem(422, `bad_${field}`);
  return value;
}

function readCurrency(value: unknown): Currency {
  if (typeof value !== 'string' || !isCurrency(value)) throw new HttpProblem(422, 'bad_currency');
  return value;
}

function readAmount(value: unknown, currency: Currency): number {
  try {
    const amount = typeof value === 'string' ? fromDecimal(value, currency) : 0;
    if (amount > 0) return amount;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  throw new HttpProblem(422, 'bad_amount');
}
