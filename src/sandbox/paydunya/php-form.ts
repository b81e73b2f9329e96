/**
 * What PHP's `http_build_query` makes of nested values: `data%5Binvoice%5D%5Btoken%5D=…`. Nothing is written for null,
 * and nothing for an empty list or object.
 */
export function buildPhpForm(values: Readonly<Record<string, unknown>>): string {
  return pairsOf(values)
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .join('&');
}

/** As browsers and other senders write it: the brackets of the names stand as they are. */
export function buildFormWithBareBrackets(values: Readonly<Record<string, unknown>>): string {
  return pairsOf(values)
    .map(
      ([name, value]) =>
        `${name
          .split(/([[\]])/)
          .map(encodeUnlessBracket)
          .join('')}=${encode(value)}`,
    )
    .join('&');
}

function pairsOf(value: unknown, name = ''): [string, string][] {
  if (value === null || value === undefined) return [];
  if (typeof value === 'object') {
    return Object.entries(value).flatMap(([key, inner]) =>
      pairsOf(inner, name === '' ? key : `${name}[${key}]`),
    );
  }
  if (typeof value === 'boolean') return [[name, value ? '1' : '0']];
  return [[name, typeof value === 'string' ? value : JSON.stringify(value)]];
}

function encodeUnlessBracket(text: string): string {
  return text === '[' || text === ']' ? text : encode(text);
}

/** PHP's `urlencode`: a space is a plus, and only letters, digits and `-_.` stay. */
function encode(text: string): string {
  return encodeURIComponent(text)
    .replaceAll('%20', '+')
    .replace(/[!'()*~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
