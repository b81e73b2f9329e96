import { html, type Html, NOTHING } from './html.js';
import { page } from './layout.js';

/** What somebody sees who follows the address that is printed at the start. @param more below, for what else there is. */
export function frontPage(name: string, howToPay: string, more: Html = NOTHING): string {
  return page(
    `A double of ${name}`,
    html`<h1 class="amount">A double of ${name}</h1>
      <p>It speaks as ${name} does, to the server on this machine alone. ${howToPay}</p>
      ${more}`,
  );
}
