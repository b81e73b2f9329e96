import { QueryFailedError } from 'typeorm';

/** SQLSTATE character_not_in_repertoire and untranslatable_character: U+0000 in text, and in JSON. */
const CODES = new Set(['22021', '22P05']);

/** Half of a surrogate pair in JSON has no code of its own (22P02), so it is known by its detail. */
const HALF_OF_A_PAIR = /surrogate/i;

/** Whether PostgreSQL refused a character that a JavaScript string can hold and its own texts can't. */
export function isTextUnstorable(error: unknown): boolean {
  const cause: unknown = error instanceof QueryFailedError ? error.driverError : error;
  if (!(cause instanceof Error)) return false;
  const { code, detail } = cause as Error & { code?: string; detail?: string };
  return CODES.has(code ?? '') || (code === '22P02' && HALF_OF_A_PAIR.test(detail ?? ''));
}
