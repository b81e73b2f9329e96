import type Stripe from 'stripe';
import { html, NOTHING, type Html } from '../../pages/html.js';
import { link, page } from '../../pages/layout.js';
import { TEST_CARDS, type TestCard } from '../test-cards.js';

export interface PaymentForm {
  readonly amount: string;
  readonly description: string;
  /** What went wrong before, for the payer. */
  readonly problem?: string | undefined;
  /** What the payer saved earlier. */
  readonly saved?: readonly Stripe.PaymentMethod[];
  /** Where "Cancel" leads. */
  readonly cancelUrl?: string | undefined;
}

/** Each form posts to the page's own address. */
export function paymentFormPage(form: PaymentForm): string {
  return page(
    `Pay ${form.amount}`,
    html`<h1>${form.description}</h1>
      <p class="amount">${form.amount}</p>
      ${form.problem === undefined ? NOTHING : html`<p class="problem" role="alert">${form.problem}</p>`}
      <form method="post">
        <label for="card">Card number</label>
        <input id="card" name="card" value="4242 4242 4242 4242" inputmode="numeric" autocomplete="off" />
        <button class="pay">Pay ${form.amount}</button>
        ${form.cancelUrl === undefined ? NOTHING : link(form.cancelUrl, 'Cancel')}
      </form>
      <form method="post" class="cards">
        ${(form.saved ?? []).map(savedButton)}
        <details open>
          <summary>Or pay at once with a test card</summary>
          ${TEST_CARDS.map(cardButton)}
        </details>
      </form>`,
  );
}

/** A form like that of a payment, which takes no money. */
export function setupFormPage({ problem, cancelUrl }: Pick<PaymentForm, 'problem' | 'cancelUrl'>): string {
  return page(
    'Save a card',
    html`<h1>Save a card for later payments</h1>
      ${problem === undefined ? NOTHING : html`<p class="problem" role="alert">${problem}</p>`}
      <form method="post">
        <label for="card">Card number</label>
        <input id="card" name="card" value="4242 4242 4242 4242" inputmode="numeric" autocomplete="off" />
        <button class="pay">Save this card</button>
        ${cancelUrl === undefined ? NOTHING : link(cancelUrl, 'Cancel')}
      </form>
      <form method="post" class="cards">
        <details open>
          <summary>Or save a test card at once</summary>
          ${TEST_CARDS.map(cardButton)}
        </details>
      </form>`,
  );
}

function savedButton({ id, card, us_bank_account: bank }: Stripe.PaymentMethod): Html {
  return html`<button name="card" value="${id}">
    <span>Saved ${card?.brand ?? 'account'}</span><code>…${card?.last4 ?? bank?.last4 ?? ''}</code>
  </button>`;
}

function cardButton(card: TestCard): Html {
  return html`<button name="card" value="${card.number}">
    <span>${card.label}</span><code>…${card.number.slice(-4)}</code>
  </button>`;
}

/** The payer's bank asks. */
export function authenticationPage(amount: string): string {
  return page(
    '3-D Secure',
    html`<h1>3-D Secure: your bank asks whether this is you</h1>
      <p class="amount">${amount}</p>
      <form method="post">
        <button class="pay" name="result" value="complete">Complete authentication</button>
        <button name="result" value="fail">Fail authentication</button>
      </form>`,
  );
}

export function resultPage(title: string, text: string, onward?: string): string {
  return page(
    title,
    html`<h1 class="amount">${title}</h1>
      <p>${text}</p>
      ${onward === undefined ? NOTHING : link(onward, 'Back to the shop')}`,
  );
}
