import { frontPage } from '../pages/front-page.js';
import { html, type Html } from '../pages/html.js';
import { link } from '../pages/layout.js';
import { MAGIC_AMOUNTS } from './magic-amounts.js';
import { DEPOSIT_OUTCOMES } from './sandbox-numbers.js';

const HOW_TO_PAY =
  'Payers confirm on their phone: on this machine that is a page. Or they pay on the page that createPaymentIntent sends them to.';

/** The address that is printed at the start: the phone, and the tables of what makes things go wrong. */
export function startPage(displayName: string): string {
  return frontPage(
    displayName,
    HOW_TO_PAY,
    html`${link('/phone', 'The phone')}
      <h2>Phone numbers that decide by themselves</h2>
      <p class="soft">By their last three digits. Any other number waits for you at the phone.</p>
      ${table(Object.entries(DEPOSIT_OUTCOMES).map(([suffix, outcome]) => [`…${suffix}`, outcome]))}
      <h2>Amounts that go wrong</h2>
      <p class="soft">In whole units of any currency; once for each payment, so trying again helps.</p>
      ${table(MAGIC_AMOUNTS.map(({ amount, says }) => [String(amount), says]))}`,
  );
}

function table(rows: readonly (readonly [string, string])[]): Html {
  const lines = rows.map(
    ([name, says]) =>
      html`<tr>
        <td><code>${name}</code></td>
        <td>${says}</td>
      </tr>`,
  );
  return html`<table>
    ${lines}
  </table>`;
}
