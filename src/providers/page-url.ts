/** Pages of providers and operators carry long tokens. */
const LONGEST_URL = 4_096;

/**
 * A page that payers may be sent to, as a browser will read it; undefined for what is none. What is meant is settled here:
 * a URL with a backslash or a line break leads elsewhere for one reader than for the next.
 * @param isSecure whether it must be https: a provider that is reached securely must not lead to an insecure page.
 */
export function readPageUrl(value: unknown, isSecure: boolean): string | undefined {
  if (typeof value !== 'string' || value.length > LONGEST_URL || !URL.canParse(value)) return undefined;
  const { protocol, href } = new URL(value);
  const isPage = protocol === 'https:' || (protocol === 'http:' && !isSecure);
  return isPage && href.length <= LONGEST_URL ? href : undefined;
}
