import { frontPage } from '../pages/front-page.js';
import { html, type Html } from '../pages/html.js';
import { link } from '../pages/layout.js';
import { MAGIC_AMOUNTS } from './magic-amounts.js';
import type { PayDunyaAccount } from './paydunya-account.js';

const HOW_TO_PAY =
  'Payers pay on the page that createPaymentIntent sends them to, or approve on their phone: on this machine that is a page too.';

/** The address that is printed at the start: the phone, the fictitious customers, and what makes things go wrong. */
export function startPage(displayName: string, { accounts }: PayDunyaAccount): string {
  const customers = accounts.all.map(
    ({ name, phone, email, password, balance }) =>
      [phone, `${name}, ${email}, password ${password}, ${balance} FCFA`] as const,
  );
  return frontPage(
    displayName,
    HOW_TO_PAY,
    html`${link('/phone', 'The phone')}
      <h2>Fictitious customers</h2>
      ${table(customers)}
      <h2>One-time codes</h2>
      <p class="soft">
        Where the payer fetches a code beforehand, any four to eight digits do, but not zeros alone.
      </p>
      <h2>Amounts that go wrong</h2>
      <p class="soft">
        In francs. What goes wrong with the creation does so once for each attempt, so trying again helps.
      </p>
      ${table(MAGIC_AMOUNTS.map(({ amount, says }) => [String(amount), says] as const))}`,
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
