import { textAt, valueAt } from '../json-document.js';
import type { AttemptToInitiate } from '../provider.js';
import { CARD_CHANNELS, mobileMoneyChannels } from './channels.js';
import {
  callPayDunya,
  isInvoiceToken,
  pageOf,
  type PayDunyaCall,
  unreadableAnswer,
} from './paydunya-exchange.js';
import type { PayDunya } from './paydunya-options.js';

export interface Invoice {
  readonly token: string;
  /** PayDunya's page on which it can be paid. */
  readonly url: string;
}

/**
 * Each call makes another invoice: PayDunya takes no key of ours. That does no harm, because an invoice whose page
 * nobody was shown, and whose token was sent to no operator, can be paid by nobody, and ends by itself after a day.
 * So a lost answer is `unavailable`, and the call may be made again, or elsewhere. Whoever makes it twice must use only
 * one of the answers. @throws {ProviderFailure}
 */
export async function createInvoice(paydunya: PayDunya, attempt: AttemptToInitiate): Promise<Invoice> {
  const call: PayDunyaCall = {
    method: 'POST',
    path: 'checkout-invoice/create',
    body: requestOf(paydunya, attempt),
    isHarmless: true,
  };
  const json = await callPayDunya(paydunya, call);
  const token = textAt(json, 'token');
  if (!isInvoiceToken(token)) throw unreadableAnswer(paydunya, call, 'an invoice without a token');
  const url = pageOf(paydunya, valueAt(json, 'response_text'));
  if (url === undefined) {
    throw unreadableAnswer(paydunya, call, 'an invoice without a page to pay on');
  }
  return { token, url };
}

function requestOf(paydunya: PayDunya, attempt: AttemptToInitiate): object {
  return {
    invoice: {
      // Minor units of the franc are francs.
      total_amount: attempt.amount,
      description: attempt.description,
      channels: channelsOf(attempt),
    },
    store: { name: paydunya.storeName },
    actions: {
      cancel_url: attempt.returnUrl,
      return_url: attempt.returnUrl,
      callback_url: paydunya.notificationUrl()?.href,
    },
    custom_data: { attempt: attempt.reference },
  };
}

/** Undefined: whatever PayDunya's page has. */
function channelsOf({ method, presentation, country }: AttemptToInitiate): readonly string[] | undefined {
  // SoftPay names its operator by itself.
  if (presentation === 'PHONE') return undefined;
  if (method === 'CARD') return CARD_CHANNELS;
  return method === 'MOBILE_MONEY' && country !== undefined ? mobileMoneyChannels(country) : undefined;
}
