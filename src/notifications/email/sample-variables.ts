import {
  emailVariables,
  endpointVariables,
  notificationVariables,
  type EmailVariables,
} from './email-variables.js';
import type { EmailFacts, EndpointFacts, NotificationFacts } from './email-facts.js';
import type { EmailTemplate } from './email-template.js';
import type { EmailLanguage } from './email-language.js';

/** An e-mail that has something to say of everything: templates are tried on it when the server starts. */
export const SAMPLE_FACTS: EmailFacts = {
  occurredAt: '2026-03-14T15:09:26.000Z',
  currency: 'EUR',
  order: {
    reference: 'ORD-00000000000000000000000000',
    number: 'T1-26-00001',
    amount: 7_990,
    createdAt: '2026-03-14T15:00:00.000Z',
    customer: { name: 'Awa Diop', email: 'awa@customer.example' },
    lines: [
      { name: 'Mug', quantity: 2, unitAmount: 1_500 },
      { name: 'Airport transfer', quantity: 1, unitAmount: 4_990 },
    ],
    booking: {
      reference: 'BKG-00000000000000000000000000',
      startsAt: '2026-04-01T08:00:00.000Z',
      endsAt: '2026-04-01T10:00:00.000Z',
    },
  },
  payment: {
    reference: 'TXN-00000000000000000000000000',
    capturedAmount: 7_990,
    refundedAmount: 1_500,
    failureCode: 'AMOUNT_MISMATCH',
    failureMessage: 'Paid 7990, and the order costs 7000.',
    isUnderReview: true,
  },
  received: 7_990,
  givenBack: 1_500,
  dispute: {
    amount: 7_990,
    currency: 'EUR',
    reason: 'fraudulent',
    provider: 'stripe',
    providerReference: 'dp_sample',
    respondBy: '2026-03-24T23:59:00.000Z',
    status: 'OPEN',
    isRefundable: false,
  },
  failedRefund: {
    reference: 'RFD-00000000000000000000000000',
    amount: 1_500,
    provider: 'stripe',
    failureCode: 'expired_or_canceled_card',
    failureMessage: 'The card provider could not give the money back.',
  },
};

export const SAMPLE_ENDPOINT: EndpointFacts = {
  endpoint: {
    reference: 'WHE-00000000000000000000000000',
    url: 'https://backend.example/webhooks',
    reason: 'FAILING',
    failingSince: '2026-03-09T15:09:26.000Z',
    disabledAt: '2026-03-14T15:09:26.000Z',
  },
};

export const SAMPLE_NOTIFICATION: NotificationFacts = {
  notification: {
    webhookEventId: '00000000-0000-7000-8000-000000000000',
    provider: 'bank-x',
    eventId: 'bevt_1',
    type: 'transfer.credited',
    problem: 'paid, and no exact amount of EUR',
    receivedAt: '2026-03-14T15:09:26.000Z',
  },
};

export function sampleVariables(template: EmailTemplate, language: EmailLanguage): EmailVariables {
  const shop = { name: 'Shop', address: 'orders@shop.example', timeZone: 'UTC' };
  if (template === 'ENDPOINT_DISABLED') return endpointVariables(SAMPLE_ENDPOINT, language, shop);
  if (template === 'NOTIFICATION_UNREADABLE')
    return notificationVariables(SAMPLE_NOTIFICATION, language, shop);
  const link = { url: 'https://shop.example/checkout', expiresAt: new Date('2026-03-15T15:09:26.000Z') };
  return emailVariables(SAMPLE_FACTS, language, shop, link);
}
