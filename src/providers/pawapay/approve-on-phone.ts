import { formatMoney } from '../../money.js';
import { hiddenNumber } from '../hidden-number.js';
import { textAt } from '../json-document.js';
import type { AttemptToInitiate, NextAction } from '../provider.js';
import { type DepositTerms, listAt } from './active-configuration.js';

type Language = 'fr' | 'en';

/** pawaPay writes for payers in these two. */
export function languageOf(locale: string | undefined): Language {
  return /^fr\b/i.test(locale ?? '') ? 'fr' : 'en';
}

/** @param msisdn the payer's number, digits only. */
export function approveOnPhone(
  attempt: AttemptToInitiate,
  msisdn: string,
  operator: string,
  terms: DepositTerms,
): NextAction {
  return {
    type: 'ApproveOnPhone',
    phoneNumber: hiddenNumber(`+${msisdn}`),
    operator,
    instructions: instructionsOf(attempt, operator, terms),
    // How long the operator waits isn't known beforehand, and no longer than this it helps to pay.
    expiresAt: attempt.expiresAt,
  };
}

function instructionsOf(attempt: AttemptToInitiate, operator: string, terms: DepositTerms): string[] {
  const language = languageOf(attempt.locale);
  const amount = formatMoney(attempt.amount, attempt.currency, attempt.locale ?? language);
  const steps = stepsOfChannel(terms.promptChannels[0], language);
  const own = OWN_STEPS[language];
  if (terms.isPromptManual) return steps.length > 0 ? steps : own.askForPrompt(operator, amount);
  return [...own.awaitPrompt(operator, amount), ...introduced(terms.promptChannels[0], language, steps)];
}

const OWN_STEPS = {
  en: {
    awaitPrompt: (operator: string, amount: string) => [
      `${operator} asks you on your phone to approve the payment of ${amount}.`,
      'Enter your PIN there.',
    ],
    askForPrompt: (operator: string, amount: string) => [
      `Open the menu or the app of ${operator} on your phone.`,
      `Choose the payment of ${amount} that awaits your approval.`,
      'Enter your PIN.',
    ],
  },
  fr: {
    awaitPrompt: (operator: string, amount: string) => [
      `${operator} vous demande sur votre téléphone d’approuver le paiement de ${amount}.`,
      'Saisissez-y votre code secret.',
    ],
    askForPrompt: (operator: string, amount: string) => [
      `Ouvrez ${operator} sur votre téléphone, par son menu ou son application.`,
      `Choisissez le paiement de ${amount} qui attend votre approbation.`,
      'Saisissez votre code secret.',
    ],
  },
} as const;

/** The channel's own heading is a question such as "Did not get a PIN prompt?". */
function introduced(channel: unknown, language: Language, steps: readonly string[]): string[] {
  const heading = textAt(channel, `displayName.${language}`);
  return heading !== undefined && steps.length > 0 ? [heading, ...steps] : [];
}

function stepsOfChannel(channel: unknown, language: Language): string[] {
  const steps = listAt(channel, `instructions.${language}`);
  return steps.flatMap((step) => textAt(step, 'text') ?? []);
}
