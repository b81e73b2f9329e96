import { formatMoney } from '../../money.js';
import type { BookingFacts, EmailFacts, EndpointFacts, LineFacts, NotificationFacts } from './email-facts.js';
import { spokenIn, type EmailLanguage, type Spoken } from './email-language.js';
import { nameToGreet, oneLine } from './payers-words.js';

/** Where the customer can pay. */
export interface PaymentLink {
  readonly url: string;
  readonly expiresAt: Date;
}

export interface Shop {
  readonly name: string;
  readonly address: string;
  /** IANA. */
  readonly timeZone: string;
}

/**
 * What a template can say: texts for people, with amounts and times written as the reader's locale does, and null where
 * there is nothing to say. `docs/emails.md` lists them for shops.
 */
export type EmailVariables = OrderVariables | EndpointVariables | NotificationVariables;

interface CommonVariables {
  readonly language: EmailLanguage;
  readonly shop: { readonly name: string; readonly email: string };
}

/** Of every e-mail about an order. */
export interface OrderVariables extends CommonVariables {
  readonly endpoint: null;
  readonly notification: null;
  readonly customer: { readonly name: string | null; readonly email: string | null };
  readonly order: {
    readonly id: string;
    /** The merchant's own, or else our id. */
    readonly number: string;
    readonly total: string;
    readonly date: string;
    readonly is_payable: boolean;
    readonly lines: readonly {
      readonly name: string;
      readonly quantity: number;
      readonly unit_price: string;
      readonly total: string;
    }[];
    readonly booking: {
      readonly id: string | null;
      readonly starts_at: string;
      readonly ends_at: string;
    } | null;
  };
  readonly payment: {
    readonly id: string;
    readonly date: string;
    readonly paid: string;
    /** Whether nothing was taken until then. */
    readonly without_money: boolean;
    readonly refunded: string;
    /** What is left with the shop. */
    readonly kept: string;
    readonly is_refunded_whole: boolean;
    readonly is_under_review: boolean;
    /** It should go back, and a person has to do it: its provider can't. */
    readonly is_given_back_by_hand: boolean;
    /** What this change brought; null when that was nothing. */
    readonly received: string | null;
    readonly failure_code: string | null;
    readonly failure_message: string | null;
  };
  /** What went back with this change, or failed to: of the latter alone there is more than its amount. */
  readonly refund: {
    readonly amount: string;
    readonly id: string | null;
    readonly provider: string | null;
    readonly failure_code: string | null;
    readonly failure_message: string | null;
  };
  readonly link: { readonly url: string; readonly expires_at: string } | null;
  readonly dispute: {
    readonly id: string;
    readonly amount: string;
    readonly reason: string;
    readonly provider: string;
    readonly respond_by: string | null;
    readonly is_open: boolean;
    readonly is_lost: boolean;
    /** The bank only asks so far, and a refund may answer it. */
    readonly is_inquiry: boolean;
  } | null;
}

/** Of those that are about no order: what is said of orders is null. */
export interface EndpointVariables extends CommonVariables, Record<AboutOrder, null> {
  readonly notification: null;
  readonly endpoint: {
    readonly id: string;
    readonly url: string;
    readonly reason: 'GONE' | 'FAILING';
    readonly failing_since: string;
    readonly disabled_at: string;
  };
}

export interface NotificationVariables extends CommonVariables, Record<AboutOrder, null> {
  readonly endpoint: null;
  readonly notification: {
    readonly provider: string;
    readonly id: string;
    readonly type: string;
    readonly problem: string;
    readonly received_at: string;
  };
}

type AboutOrder = 'customer' | 'order' | 'payment' | 'refund' | 'link' | 'dispute';

export function emailVariables(
  facts: EmailFacts,
  wantedLocale: string,
  shop: Shop,
  link: PaymentLink | null,
): OrderVariables {
  const spoken = spokenIn(wantedLocale);
  const write = writer(spoken, facts, shop.timeZone);
  const { order } = facts;
  return {
    ...commonVariables(spoken, shop),
    endpoint: null,
    notification: null,
    customer: { name: nameToGreet(order.customer.name), email: order.customer.email },
    order: {
      id: order.reference,
      number: oneLine(order.number ?? order.reference),
      total: write.money(order.amount),
      date: write.time(order.createdAt),
      is_payable: order.isPayable !== false,
      lines: order.lines.map((line) => write.line(line)),
      booking: order.booking && write.booking(order.booking),
    },
    payment: paymentVariables(facts, write),
    refund: refundVariables(facts, write),
    link: link && { url: link.url, expires_at: write.time(link.expiresAt.toISOString()) },
    dispute: disputeVariables(facts, spoken, write),
  };
}

export function endpointVariables(
  { endpoint }: EndpointFacts,
  wantedLocale: string,
  shop: Shop,
): EndpointVariables {
  const spoken = spokenIn(wantedLocale);
  const time = timeWriter(spoken, shop.timeZone);
  return {
    ...commonVariables(spoken, shop),
    endpoint: {
      id: endpoint.reference,
      url: oneLine(endpoint.url),
      reason: endpoint.reason,
      failing_since: time(endpoint.failingSince),
      disabled_at: time(endpoint.disabledAt),
    },
    notification: null,
    ...ABOUT_NO_ORDER,
  };
}

export function notificationVariables(
  { notification }: NotificationFacts,
  wantedLocale: string,
  shop: Shop,
): NotificationVariables {
  const spoken = spokenIn(wantedLocale);
  return {
    ...commonVariables(spoken, shop),
    endpoint: null,
    notification: {
      provider: notification.provider,
      id: oneLine(notification.eventId),
      type: oneLine(notification.type),
      problem: oneLine(notification.problem),
      received_at: timeWriter(spoken, shop.timeZone)(notification.receivedAt),
    },
    ...ABOUT_NO_ORDER,
  };
}

const ABOUT_NO_ORDER: Readonly<Record<AboutOrder, null>> = {
  customer: null,
  order: null,
  payment: null,
  refund: null,
  link: null,
  dispute: null,
};

function commonVariables({ language }: Spoken, { name, address }: Shop): CommonVariables {
  return { language, shop: { name, email: address } };
}

function paymentVariables(
  { payment, received, occurredAt }: EmailFacts,
  write: Writer,
): OrderVariables['payment'] {
  const { reference, capturedAmount, refundedAmount, failureCode, failureMessage } = payment;
  return {
    id: reference,
    date: write.time(occurredAt),
    paid: write.money(capturedAmount),
    without_money: capturedAmount === 0,
    refunded: write.money(refundedAmount),
    kept: write.money(capturedAmount - refundedAmount),
    is_refunded_whole: refundedAmount === capturedAmount,
    is_under_review: payment.isUnderReview,
    is_given_back_by_hand: payment.isGivenBackByHand ?? false,
    received: received > 0 ? write.money(received) : null,
    failure_code: failureCode,
    failure_message: failureMessage && oneLine(failureMessage),
  };
}

function disputeVariables(
  { dispute }: EmailFacts,
  { locale }: Spoken,
  write: Writer,
): OrderVariables['dispute'] {
  if (dispute === null) return null;
  const { amount, currency, reason, provider, providerReference, respondBy, status = 'OPEN' } = dispute;
  return {
    id: providerReference,
    amount: formatMoney(amount, currency, locale),
    reason: oneLine(reason),
    provider,
    respond_by: respondBy && write.time(respondBy),
    is_open: status === 'OPEN',
    is_lost: status === 'LOST',
    is_inquiry: status === 'OPEN' && dispute.isRefundable === true,
  };
}

function refundVariables(
  { givenBack, failedRefund = null }: EmailFacts,
  write: Writer,
): OrderVariables['refund'] {
  return {
    amount: write.money(failedRefund?.amount ?? givenBack),
    id: failedRefund && failedRefund.reference,
    provider: failedRefund && failedRefund.provider,
    failure_code: failedRefund && failedRefund.failureCode,
    failure_message: failedRefund?.failureMessage ? oneLine(failedRefund.failureMessage) : null,
  };
}

type Writer = ReturnType<typeof writer>;

/** With the zone, for whoever reads it may be in another one. Intl does not take it beside `dateStyle`. */
const AS_TRAVELLERS_READ: Intl.DateTimeFormatOptions = {
  year: 'numeric',
  month: 'long',
  day: 'numeric',
  hour: 'numeric',
  minute: '2-digit',
  timeZoneName: 'short',
};

function timeWriter({ locale }: Spoken, timeZone: string): (iso: string) => string {
  const times = new Intl.DateTimeFormat(locale, { ...AS_TRAVELLERS_READ, timeZone });
  return (iso) => times.format(new Date(iso));
}

function writer(spoken: Spoken, { currency }: EmailFacts, timeZone: string) {
  const { locale } = spoken;
  const time = timeWriter(spoken, timeZone);
  const money = (amount: number) => formatMoney(amount, currency, locale);
  return {
    money,
    time,
    line: ({ name, quantity, unitAmount }: LineFacts) => ({
      name: oneLine(name),
      quantity,
      unit_price: money(unitAmount),
      total: money(unitAmount * quantity),
    }),
    booking: ({ reference, startsAt, endsAt }: BookingFacts) => ({
      id: reference,
      starts_at: time(startsAt),
      ends_at: time(endsAt),
    }),
  };
}
