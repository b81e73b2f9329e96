import { html } from './html.js';
import { page } from './layout.js';

/** Where payers of a local run come back to, in place of a shop's own page. */
export function returnPage(): string {
  return page(
    'Back from paying',
    html`<h1>In place of your shop’s own page</h1>
      <p class="amount">You are back.</p>
      <p>
        This page knows nothing of the payment, and yours should not guess: anybody can open an address. Watch
        the payment, or ask for it, and show its status.
      </p>`,
  );
}
