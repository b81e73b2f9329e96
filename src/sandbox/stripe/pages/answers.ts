import type { StripeAccount } from '../account.js';
import type { FormValues } from '../form-body.js';
import { resultPage } from './views.js';

export type PageAnswer =
  | { readonly kind: 'page'; readonly status: number; readonly html: string }
  | { readonly kind: 'redirect'; readonly url: string };

export interface PageRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly body: string;
}

export interface Visit {
  readonly account: StripeAccount;
  /** The last step of the path: a client secret, or a session's id. */
  readonly reference: string;
  readonly query: FormValues;
  /** What was sent, when the page was sent back with a button. */
  readonly sent: FormValues | undefined;
}

/** Only the web: a `javascript:` address must not become a link. */
export function safeUrl(url: string | undefined): string | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined;
  const { protocol } = new URL(url);
  return protocol === 'http:' || protocol === 'https:' ? url : undefined;
}

export function shown(html: string): PageAnswer {
  return { kind: 'page', status: 200, html };
}

export function problem(status: number, message: string): PageAnswer {
  return { kind: 'page', status, html: resultPage('That did not work', message) };
}
