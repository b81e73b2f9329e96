import type { BankDialect } from './dialect.js';

type Encode = BankDialect['encode'];

const BYTE_ORDER_MARK = '\ufeff';

/** JSON behind a byte order mark, as some platforms write text. */
export const encodeWithByteOrderMark: Encode = (json) => ({
  body: BYTE_ORDER_MARK + json,
});

/** JSON that says of itself what it is not; null: nothing. */
export function encodeAs(contentType: string | null): Encode {
  return (json) => ({ body: json, contentType });
}

/** `data[reference]=…`, as PHP writes nested fields. */
export const encodeAsForm: Encode = (json) => ({
  body: new URLSearchParams(fieldsOf(JSON.parse(json))).toString(),
  contentType: 'application/x-www-form-urlencoded',
});

const BOUNDARY = 'bank-double-7MA4YWxkTrZu0gW';

export const encodeAsMultipart: Encode = (json) => {
  const parts = fieldsOf(JSON.parse(json)).map(
    ([name, value]) => `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  return {
    body: `${parts.join('')}--${BOUNDARY}--\r\n`,
    contentType: `multipart/form-data; boundary=${BOUNDARY}`,
  };
};

function fieldsOf(value: unknown, name = ''): [string, string][] {
  if (value === undefined || value === null) return [];
  if (typeof value !== 'object') return [[name, typeof value === 'string' ? value : JSON.stringify(value)]];
  return Object.entries(value).flatMap(([key, nested]) =>
    fieldsOf(nested, name === '' ? key : `${name}[${key}]`),
  );
}
