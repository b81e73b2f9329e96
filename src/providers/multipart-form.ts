import { MOST_FIELDS } from './nested-form.js';

const BOUNDARY = /^\s*--([^\r\n]{1,70})\r?\n/;

/**
 * The texts of a multipart/form-data body, in their order; files are left out. The boundary is read from the body itself,
 * because what a Content-Type claims is covered by no signature. Undefined for what is no such body, or not all of it.
 */
export function parseMultipart(body: string): [name: string, value: string][] | undefined {
  const boundary = BOUNDARY.exec(body)?.[1]?.trimEnd();
  if (boundary === undefined) return undefined;
  // What stands before the first and behind the last is none of them.
  const [, ...parts] = `\n${body}`.split(`\n--${boundary}`, MOST_FIELDS + 2);
  if (parts.pop()?.trim() !== '--') return undefined;
  const fields = parts.map(readPart);
  return fields.every((field) => field !== undefined)
    ? fields.filter((field) => field !== 'FILE')
    : undefined;
}

function readPart(part: string): [string, string] | 'FILE' | undefined {
  const [, head, value] = /^[ \t]*\r?\n([^]*?)\r?\n\r?\n([^]*?)\r?$/.exec(part) ?? [];
  const [, disposition] = /^content-disposition:(.*)$/im.exec(head ?? '') ?? [];
  if (disposition === undefined || value === undefined) return undefined;
  if (/[;\s]filename\*?=/i.test(disposition)) return 'FILE';
  const [, quoted, bare] = /[;\s]name=(?:"([^"]*)"|([^\s;"]+))/i.exec(disposition) ?? [];
  const name = quoted ?? bare;
  return name === undefined ? undefined : [name, value];
}
