import { hiddenNumber } from '../hidden-number.js';
import { textAt, valueAt } from '../json-document.js';
import { type AttemptToInitiate, type Initiated, type NextAction, ProviderFailure } from '../provider.js';
import { confirmInvoice } from './confirm-invoice.js';
import {
  askPayDunya,
  failureOfStatus,
  pageOf,
  type PayDunyaAnswer,
  type PayDunyaCall,
  rejection,
  responseCodeOf,
  unreadableAnswer,
} from './paydunya-exchange.js';
import { type PayDunya, withoutSecrets } from './paydunya-options.js';
import type { PhonePayer } from './phone-payer.js';

/**
 * Has the operator ask the payer to pay the invoice that was reserved. However often that is repeated, the invoice is
 * paid once. @throws {ProviderFailure}
 */
export async function payByPhone(
  paydunya: PayDunya,
  attempt: AttemptToInitiate & { readonly providerReference: string },
  payer: PhonePayer,
): Promise<Initiated> {
  const call: PayDunyaCall = {
    method: 'POST',
    path: `softpay/${payer.operator.path}`,
    body: requestOf(attempt, payer),
    isHarmless: false,
    // It may be answered only when the payer has decided: a "no" that we wait for spares a day of not knowing.
    patienceMilliseconds: (payer.operator.patienceSeconds ?? 0) * 1000,
  };
  const { providerReference } = attempt;
  try {
    const answer = await askPayDunya(paydunya, call);
    await refuseFailure(paydunya, call, attempt, answer);
    return { providerReference, nextAction: nextActionOf(paydunya, call, attempt, payer, answer.json) };
  } catch (error) {
    throw error instanceof ProviderFailure ? withReference(error, providerReference) : error;
  }
}

/** All fields must be there; the name is for the operator's records, and for nothing else. */
const NAME_OF_NOBODY = 'Client';

function requestOf(
  { providerReference, customerName }: AttemptToInitiate,
  { operator: { fields, constantFields }, localNumber, email }: PhonePayer,
): object {
  return {
    [fields.name]: customerName ?? NAME_OF_NOBODY,
    [fields.email]: email,
    [fields.phone]: localNumber,
    ...constantFields,
    [fields.token]: providerReference,
  };
}

/** @throws {ProviderFailure} unless the operator has been asked. */
async function refuseFailure(
  paydunya: PayDunya,
  call: PayDunyaCall,
  attempt: AttemptToInitiate & { readonly providerReference: string },
  answer: PayDunyaAnswer,
): Promise<void> {
  const { status, json } = answer;
  const success = valueAt(json, 'success');
  if (status >= 200 && status < 300 && success === true) return;
  if (status < 500 && success === false) throw await failureOfRefusal(paydunya, attempt, json);
  const code = responseCodeOf(json);
  if (status < 500 && code !== undefined && code !== '00') {
    throw rejection(paydunya, code, textAt(json, 'response_text'));
  }
  throw failureOfStatus(paydunya, call, answer);
}

/**
 * What "no" means depends on the invoice: a call before this one may have done it already, and then this one is refused.
 * While it is pending, "no" speaks of this call alone: the payer may still be asked because of an earlier one.
 */
async function failureOfRefusal(
  paydunya: PayDunya,
  attempt: AttemptToInitiate & { readonly providerReference: string },
  json: unknown,
): Promise<ProviderFailure> {
  const text =
    textAt(json, 'message') ?? textAt(json, 'errors.description') ?? textAt(json, 'errors.message');
  const message = withoutSecrets(paydunya, text ?? 'The operator did not take the payment.');
  const outcome = await confirmInvoice(paydunya, attempt).catch((error: unknown) => {
    throw error instanceof ProviderFailure ? unknownOutcome(paydunya, message, error) : error;
  });
  if (outcome.kind === 'paid') {
    return unknownOutcome(paydunya, 'the invoice has been paid already');
  }
  return new ProviderFailure(paydunya.name, 'declined', 'SOFTPAY_REFUSED', message, {
    // An invoice that ended without money took none by any call.
    coversEarlierCalls: outcome.kind === 'failed' || outcome.kind === 'cancelled',
  });
}

/** Whoever hears it asks how the invoice stands, and then finds out. */
function unknownOutcome(paydunya: PayDunya, detail: string, cause?: ProviderFailure): ProviderFailure {
  const message = `${paydunya.displayName} did not begin the payment again: ${detail}`;
  return new ProviderFailure(paydunya.name, 'outcomeUnknown', cause?.code ?? 'INVOICE_COMPLETED', message, {
    cause,
  });
}

function nextActionOf(
  paydunya: PayDunya,
  call: PayDunyaCall,
  attempt: AttemptToInitiate,
  { operator, phoneNumber }: PhonePayer,
  json: unknown,
): NextAction {
  const url = pageOf(paydunya, valueAt(json, 'url'));
  if (url !== undefined) return { type: 'RedirectToUrl', url };
  if (operator.payer === 'PAGE') {
    throw unreadableAnswer(paydunya, call, 'no page of the operator’s to pay on');
  }
  const { patienceSeconds } = operator;
  const { now = new Date() } = attempt;
  return {
    type: 'ApproveOnPhone',
    phoneNumber: hiddenNumber(phoneNumber),
    operator: operator.name,
    instructions: operator.payer[isEnglish(attempt.locale) ? 'en' : 'fr'],
    expiresAt:
      patienceSeconds === undefined ? attempt.expiresAt : new Date(now.getTime() + patienceSeconds * 1000),
  };
}

/** The others of these countries read French. */
function isEnglish(locale: string | undefined): boolean {
  return /^en\b/i.test(locale ?? '');
}

function withReference(failure: ProviderFailure, providerReference: string): ProviderFailure {
  const { provider, kind, code, message, cause, coversEarlierCalls } = failure;
  return new ProviderFailure(provider, kind, code, message, { cause, coversEarlierCalls, providerReference });
}
