import type Stripe from 'stripe';

const DAY_SECONDS = 24 * 3600;

/**
 * When a period ends, in seconds since 1970. Months are counted from the anchor: what began on a 31st ends on each
 * month's last day, and never drifts.
 */
export function endOfPeriod(anchor: number, recurring: Stripe.Price.Recurring, periods: number): number {
  const count = periods * recurring.interval_count;
  switch (recurring.interval) {
    case 'day':
      return anchor + count * DAY_SECONDS;
    case 'week':
      return anchor + count * 7 * DAY_SECONDS;
    case 'year':
      return monthsAfter(anchor, 12 * count);
    default:
      return monthsAfter(anchor, count);
  }
}

function monthsAfter(anchor: number, months: number): number {
  const date = new Date(anchor * 1000);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + months);
  const lastDay = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, lastDay));
  return Math.floor(date.getTime() / 1000);
}
