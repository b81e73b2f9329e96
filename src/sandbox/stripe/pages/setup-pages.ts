import type { SetupRecord, StripeAccount } from '../account.js';
import { text } from '../parameters.js';
import { findSetup } from '../payer.js';
import { addPaymentMethod } from '../payment-methods.js';
import { confirmSetup, finishSetupAuthentication } from '../setup-intents.js';
import { findTestCard } from '../test-cards.js';
import { safeUrl, shown, type PageAnswer, type Visit } from './answers.js';
import { authenticationPage, resultPage, setupFormPage } from './views.js';

/** Stands in for the Payment Element where a card is saved for later. */
export function showSetup({ account, reference, query, sent }: Visit): PageAnswer {
  const setup = findSetup(account, reference);
  const returnUrl = safeUrl(text(query, 'return_url'));
  const wasOpen = isOpen(setup);
  const wrongNumber = sent && wasOpen ? tryToSave(account, setup, text(sent, 'card'), returnUrl) : undefined;
  if (setup.object.status === 'requires_action') return toAuthentication(account, setup);
  if (!isOpen(setup)) return sent && wasOpen ? afterSetup(setup) : result(setup, returnUrl);
  const problem = wrongNumber ?? setup.object.last_setup_error?.message;
  return shown(setupFormPage({ problem, cancelUrl: returnUrl }));
}

/** The payer's bank asks whether it is them who save the card. */
export function showSetupAuthentication({ account, reference, sent }: Visit): PageAnswer {
  const setup = findSetup(account, reference);
  if (setup.object.status !== 'requires_action') return result(setup, setup.returnUrl);
  if (!sent) return shown(authenticationPage('Save a card'));
  finishSetupAuthentication(account, setup, text(sent, 'result') === 'complete');
  return afterSetup(setup);
}

/** What is wrong with the card's number. That its bank refuses it is the SetupIntent's state. */
function tryToSave(
  account: StripeAccount,
  setup: SetupRecord,
  number: string | undefined,
  returnUrl?: string,
): string | undefined {
  const card = findTestCard(number ?? '');
  if (!card) return 'Only the test cards below work here.';
  confirmSetup(account, setup, addPaymentMethod(account, card), { returnUrl });
  return undefined;
}

/** Where Stripe.js would take the payer. */
function afterSetup(setup: SetupRecord): PageAnswer {
  const { object, returnUrl } = setup;
  if (returnUrl === undefined) {
    return isOpen(setup) ? { kind: 'redirect', url: `/setup/${object.client_secret}` } : result(setup);
  }
  const url = new URL(returnUrl);
  url.searchParams.set('setup_intent', object.id);
  url.searchParams.set('setup_intent_client_secret', object.client_secret ?? '');
  url.searchParams.set('redirect_status', object.status === 'succeeded' ? 'succeeded' : 'failed');
  return { kind: 'redirect', url: url.href };
}

function toAuthentication(account: StripeAccount, { object }: SetupRecord): PageAnswer {
  return { kind: 'redirect', url: `${account.baseUrl()}/3ds/${object.client_secret}` };
}

function isOpen({ object }: SetupRecord): boolean {
  return object.status === 'requires_payment_method' || object.status === 'requires_confirmation';
}

function result({ object }: SetupRecord, onward?: string): PageAnswer {
  const [title, told] =
    object.status === 'succeeded'
      ? (['Saved', 'Your card was saved.'] as const)
      : (['Not saved', 'No card was saved.'] as const);
  return shown(resultPage(title, told, onward));
}
