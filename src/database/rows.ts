/**
 * Rows travel to and from hot statements as JSON with the column names of the database; the code speaks camelCase.
 * Every `timestamptz` column ends in `_at` or `_until`, which is how a string is known to be a time.
 */
const snakeCases = new Map<string, string>();
const camelCases = new Map<string, string>();

export function snakeCase(name: string): string {
  let converted = snakeCases.get(name);
  if (converted === undefined) {
    converted = name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
    snakeCases.set(name, converted);
  }
  return converted;
}

function camelCase(name: string): string {
  let converted = camelCases.get(name);
  if (converted === undefined) {
    converted = name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
    camelCases.set(name, converted);
  }
  return converted;
}

/** A row as `to_jsonb` gives it, as an object of ours. */
export function fromRow<T extends object>(row: Record<string, unknown>): T {
  const object: Record<string, unknown> = {};
  for (const column in row) {
    const name = camelCase(column);
    const value = row[column];
    object[name] = typeof value === 'string' && isTime(column) ? new Date(value) : value;
  }
  return object as T;
}

/** The reverse: for `jsonb_populate_record`. A property that is undefined is left out, and so becomes NULL. */
export function toRow(object: object): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(object)) row[snakeCase(name)] = value;
  return row;
}

function isTime(column: string): boolean {
  return column.endsWith('_at') || column.endsWith('_until');
}
