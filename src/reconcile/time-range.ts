export interface TimeRange {
  /** Inclusive. */
  readonly since: Date;
  /** Exclusive. */
  readonly until: Date;
}

export function isWithin({ since, until }: TimeRange, time: Date): boolean {
  return time >= since && time < until;
}

/** The shortest that holds all of these times. There must be one. */
export function rangeOf(times: readonly Date[]): TimeRange {
  // Not spread into arguments: there may be more than a call can take.
  const since = times.reduce((earliest, time) => (time < earliest ? time : earliest));
  const last = times.reduce((latest, time) => (time > latest ? time : latest));
  return { since, until: new Date(last.getTime() + 1) };
}
