import type { Order } from './order.js';
import { daysTouched } from './booking-days.js';
import { OrderError } from './order-error.js';

/** What is asked for: it is made when the order is paid. */
export interface BookingRequest {
  readonly startsAt: Date;
  readonly endsAt: Date;
  /** The merchant's own: transport, flight number, services. */
  readonly details: Record<string, unknown>;
}

/** An order's booking as its columns. */
export type BookingColumns = Pick<
  Order,
  'bookingStartsAt' | 'bookingEndsAt' | 'bookingFirstDay' | 'bookingLastDay' | 'bookingDetails'
>;

export const NO_BOOKING: BookingColumns = {
  bookingStartsAt: null,
  bookingEndsAt: null,
  bookingFirstDay: null,
  bookingLastDay: null,
  bookingDetails: null,
};

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** "From now on" is sent by a clock that may be slow, and after a while with the form. */
const MAX_BEGUN = 5 * MINUTE;
const MAX_LENGTH_DAYS = 366;
const MAX_AHEAD_DAYS = 5 * 366;
const MAX_DETAILS_CHARACTERS = 8_192;

/**
 * The days are told once and kept: a change of the shop's time zone moves no booking.
 * @throws {OrderError} INVALID_ORDER, naming the field at fault.
 */
export function bookingColumns(
  { startsAt, endsAt, details }: BookingRequest,
  now: Date,
  shopTimeZone: string,
): BookingColumns {
  const length = endsAt.getTime() - startsAt.getTime();
  if (startsAt.getTime() < now.getTime() - MAX_BEGUN) throw invalid('startsAt', 'must not be in the past');
  if (startsAt.getTime() > now.getTime() + MAX_AHEAD_DAYS * DAY) {
    throw invalid('startsAt', `must be within ${MAX_AHEAD_DAYS} days from now`);
  }
  if (length <= 0) throw invalid('endsAt', 'must be after startsAt');
  if (length > MAX_LENGTH_DAYS * DAY) {
    throw invalid('endsAt', `must be at most ${MAX_LENGTH_DAYS} days after startsAt`);
  }
  if (JSON.stringify(details).length > MAX_DETAILS_CHARACTERS) {
    throw invalid('details', `may have ${MAX_DETAILS_CHARACTERS} characters as JSON`);
  }
  const { firstDay, lastDay } = daysTouched(startsAt, endsAt, shopTimeZone);
  return {
    bookingStartsAt: startsAt,
    bookingEndsAt: endsAt,
    bookingFirstDay: firstDay,
    bookingLastDay: lastDay,
    bookingDetails: details,
  };
}

/** @param skus of products that have only so many places on a day. @throws {OrderError} INVALID_ORDER */
export function refuseMissingBooking(skus: readonly string[]): void {
  if (skus.length === 0) return;
  throw new OrderError(
    'INVALID_ORDER',
    `${skus.join(', ')}: say from when until when, as booking.`,
    'booking',
  );
}

function invalid(field: keyof BookingRequest, what: string): OrderError {
  return new OrderError('INVALID_ORDER', `booking.${field} ${what}.`, `booking.${field}`);
}
