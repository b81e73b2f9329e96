import { DIFFERENCE_TYPES, MEANINGS, SAFE_TO_REPAIR, type Difference } from './difference.js';
import type { Reconciliation } from './reconcile-provider.js';

/** What came of one provider, for people. */
export function report(reconciliation: Reconciliation, repaired: boolean): string {
  const { provider, range, compared, notOurs, found } = reconciliation;
  return [
    `${provider}, ${range.since.toISOString()} to ${range.until.toISOString()}`,
    `${payments(compared)} compared, ${notOurs} more not ours, ${differences(found.length)}`,
    '',
    ...byType(found),
    ...(repaired ? outcome(reconciliation) : []),
  ].join('\n');
}

/** The last line. */
export function summary(reconciliations: readonly Reconciliation[], repaired: boolean): string {
  const found = reconciliations.flatMap((one) => one.found);
  const left = reconciliations.flatMap((one) => one.left);
  if (found.length === 0) return 'Nothing differs.';
  if (repaired) {
    const gone = reconciliations.reduce((sum, one) => sum + one.repaired.length, 0);
    return `${differences(found.length)}: ${gone} repaired, ${left.length} left for a person to look at.`;
  }
  const safe = found.filter(({ type }) => SAFE_TO_REPAIR[type]).length;
  const advice = safe > 0 ? ` --repair would ask the providers about ${safe} of them.` : '';
  return `${differences(found.length)}.${advice}`;
}

function byType(found: readonly Difference[]): string[] {
  return DIFFERENCE_TYPES.flatMap((type) => {
    const ofType = found.filter((difference) => difference.type === type);
    if (ofType.length === 0) return [];
    return [`${type} (${ofType.length}): ${MEANINGS[type]}`, ...table(ofType), ''];
  });
}

function outcome({ repaired, left }: Reconciliation): string[] {
  return [
    ...(repaired.length > 0 ? [`Repaired (${repaired.length}):`, ...table(repaired, true), ''] : []),
    ...(left.length > 0 ? [`For a person to look at (${left.length}):`, ...table(left, true), ''] : []),
  ];
}

function table(rows: readonly Difference[], withType = false): string[] {
  const cells = rows.map(({ type, attemptReference, providerReference, description }) => [
    ...(withType ? [type] : []),
    attemptReference,
    providerReference,
    description,
  ]);
  const widths = cells[0]!.map((_, column) =>
    cells.reduce((widest, row) => Math.max(widest, row[column]!.length), 0),
  );
  return cells.map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ')}`.trimEnd(),
  );
}

function payments(count: number): string {
  return count === 1 ? '1 payment' : `${count} payments`;
}

function differences(count: number): string {
  return count === 1 ? '1 difference' : `${count || 'no'} differences`;
}
