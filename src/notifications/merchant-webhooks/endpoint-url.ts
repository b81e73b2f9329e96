import { isIP } from 'node:net';

/** Below are the ports of mail, shells and the like, which an HTTP request must not be made to poke at. */
const LOWEST_UNPRIVILEGED_PORT = 1_024;

/**
 * Why webhooks are not sent to a URL; null when they may be. Where a name leads is not known before each connection is
 * made, and is judged then (`receiver-network.ts`).
 */
export function refusalOfUrl(url: string, allowPrivate: boolean): string | null {
  if (!URL.canParse(url)) return 'It is no URL.';
  const { protocol, hostname, port, username, password } = new URL(url);
  if (protocol !== 'https:' && protocol !== 'http:') return 'It must begin with https://.';
  if (username || password) return 'It must not hold a user or a password: the signature says who we are.';
  if (allowPrivate) return null;
  if (protocol !== 'https:') return `It must begin with https://. ${HOW_TO_ALLOW}`;
  if (!isPublicName(hostname)) return `Its host must be a public name, and no address. ${HOW_TO_ALLOW}`;
  if (port !== '' && Number(port) < LOWEST_UNPRIVILEGED_PORT) {
    return `Its port must be 443, or ${LOWEST_UNPRIVILEGED_PORT} or above.`;
  }
  return null;
}

const HOW_TO_ALLOW = '(On a developer’s machine, WEBHOOKS_ALLOW_PRIVATE=yes allows any.)';

function isPublicName(hostname: string): boolean {
  const name = hostname.replace(/\.$/, '');
  return isIP(name.replace(/^\[|\]$/g, '')) === 0 && /\.(?!localhost$)[^.]+$/.test(name);
}
