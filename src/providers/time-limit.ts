/**
 * What the work gives, or, when it takes too long, what is given or thrown instead. The work itself goes on, and nobody
 * hears of how it ends.
 */
export function withinTime<Result>(
  milliseconds: number,
  work: Promise<Result>,
  onTooLate: () => Result,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      // In a promise, so that what it throws is a rejection.
      Promise.resolve().then(onTooLate).then(resolve, reject);
    }, milliseconds);
    work.finally(() => clearTimeout(timer)).then(resolve, reject);
  });
}
