import { createHash } from 'node:crypto';
import { CARD_CHANNEL, type Invoice, type InvoiceStatus, type JsonObject } from './invoice.js';
import type { PayDunyaAccount } from './paydunya-account.js';

const README_SPELLING: Readonly<Partial<Record<InvoiceStatus, string>>> = {
  cancelled: 'canceled',
  failed: 'fail',
};

/** What confirm answers, and what a notification carries. */
export function presentInvoice(account: PayDunyaAccount, invoice: Invoice): JsonObject {
  const { token, description, items, taxes, customData, actions, status } = invoice;
  const { keys, mode, dialect, urls } = account;
  const amount = invoice.payment?.amount ?? invoice.totalAmount;
  return {
    response_code: '00',
    response_text: 'Transaction Found',
    hash: hashOf(keys.masterKey),
    invoice: {
      token,
      total_amount: dialect.amounts === 'TEXT' ? String(amount) : amount,
      description,
      items,
      taxes,
    },
    custom_data: customData,
    actions,
    mode,
    status: dialect.spelling === 'README' ? (README_SPELLING[status] ?? status) : status,
    ...presentPayment(invoice, urls.receipt(invoice)),
    ...presentFailure(invoice),
  };
}

/** A constant of the account, whatever the notification says: lower-case hex of SHA-512. */
function hashOf(masterKey: string): string {
  return createHash('sha512').update(masterKey).digest('hex');
}

function presentPayment(invoice: Invoice, receiptUrl: string): JsonObject {
  if (!invoice.payment) return {};
  const { customer, receiptIdentifier, providerReference } = invoice.payment;
  return {
    customer,
    receipt_url: receiptUrl,
    receipt_identifier: receiptIdentifier,
    provider_reference: providerReference,
  };
}

/** Only a card that failed has a `fail_reason`. */
function presentFailure({ status, failure }: Invoice): JsonObject {
  if (status !== 'failed' || !failure) return {};
  return {
    ...(failure.channel === CARD_CHANNEL && { fail_reason: failure.reason }),
    errors: { message: failure.reason, description: `The payment by ${failure.channel} failed.` },
  };
}
