/** YYYY-MM-DD. */
export type Day = string;

/** By its name; an offset such as +01:00 knows no summer time. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/**
 * The first and the last calendar day of which a time takes a part, however little. Its end is no part of it: what ends
 * at midnight doesn't touch the day that begins then.
 * @param timeZone IANA.
 */
export function daysTouched(startsAt: Date, endsAt: Date, timeZone: string): { firstDay: Day; lastDay: Day } {
  return { firstDay: dayOf(startsAt, timeZone), lastDay: dayOf(new Date(endsAt.getTime() - 1), timeZone) };
}

function dayOf(time: Date, timeZone: string): Day {
  const format = new Intl.DateTimeFormat('en', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  });
  const parts = new Map(format.formatToParts(time).map(({ type, value }) => [type, value]));
  return `${parts.get('year')}-${parts.get('month')}-${parts.get('day')}`;
}
