import { parseJson } from '../json-document.js';
import { parseMultipart } from '../multipart-form.js';
import { nestFields, parseNestedForm } from '../nested-form.js';
import { withoutByteOrderMark } from '../written-text.js';
import type { BodyFormat } from './notification-shape.js';

export const BODY_IN_WORDS: Readonly<Record<BodyFormat, string>> = {
  JSON: 'JSON',
  FORM: 'form-encoded',
  MULTIPART: 'multipart/form-data',
};

/** A body as a document that paths are looked up in; all that is in a form is text. Undefined for what has another form. */
export function readBody(body: string, format: BodyFormat): unknown {
  const text = withoutByteOrderMark(body);
  if (format === 'JSON') return parseJson(text);
  if (format === 'FORM') return text.includes('=') ? parseNestedForm(text) : undefined;
  const fields = parseMultipart(text);
  return fields && nestFields(fields);
}
