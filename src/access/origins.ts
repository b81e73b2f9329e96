/** Which pages may use the API from a browser, and where payers may be sent back to. */
export interface AllowedOrigins {
  isAllowed(origin: string): boolean;
}

/** 'LOCALHOST': every port of this machine, for development. */
export function allowedOrigins(origins: readonly string[] | 'LOCALHOST'): AllowedOrigins {
  if (origins !== 'LOCALHOST') {
    const known = new Set(origins);
    return { isAllowed: (origin) => known.has(origin) };
  }
  return {
    isAllowed: (origin) =>
      URL.canParse(origin) && ['localhost', '127.0.0.1', '[::1]'].includes(new URL(origin).hostname),
  };
}

/** Whether a payer may be sent back to this URL: only to pages of an allowed origin, or anybody could lure payers away. */
export function mayReturnTo(origins: AllowedOrigins, url: URL): boolean {
  return (url.protocol === 'https:' || url.protocol === 'http:') && origins.isAllowed(url.origin);
}
