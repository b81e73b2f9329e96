import { type AttemptToInitiate, type Operator, ProviderFailure } from '../provider.js';
import type { PayDunya } from './paydunya-options.js';
import { CALLING_CODES, SOFTPAY_OPERATORS, type SoftPayOperator } from './softpay-operators.js';

/** Whose telephone is to ask, and who asks. */
export interface PhonePayer {
  readonly operator: SoftPayOperator;
  /** E.164. */
  readonly phoneNumber: string;
  /** As it is dialled within its country. */
  readonly localNumber: string;
  readonly email: string;
}

function softPayOperators({ countries }: PayDunya): SoftPayOperator[] {
  return SOFTPAY_OPERATORS.filter(({ country }) => countries.includes(country));
}

/** For capabilities: what everybody may know of them. */
export function publicOperators(paydunya: PayDunya): Operator[] {
  return softPayOperators(paydunya).map(({ code, name, country }) => ({ code, name, country }));
}

/** @throws {ProviderFailure} `rejected` when the attempt does not say it, or says it of another country. */
export function phonePayerOf(
  paydunya: PayDunya,
  { operator: wanted, phoneNumber, customerEmail = paydunya.fallbackEmail }: AttemptToInitiate,
): PhonePayer {
  const refuse = (code: string, message: string) =>
    new ProviderFailure(paydunya.name, 'rejected', code, message);
  const operator = softPayOperators(paydunya).find(({ code }) => code === wanted);
  if (!operator) {
    throw refuse(
      'OPERATOR_NOT_SUPPORTED',
      `${paydunya.displayName} can't ask this operator for the payment.`,
    );
  }
  const prefix = `+${CALLING_CODES[operator.country] ?? ''}`;
  if (phoneNumber === undefined || !phoneNumber.startsWith(prefix) || !/^\+\d{9,15}$/.test(phoneNumber)) {
    const message = `${operator.name} needs a phone number that begins with ${prefix}.`;
    throw refuse('PHONE_NUMBER_NOT_SUPPORTED', message);
  }
  if (!customerEmail) {
    throw refuse('EMAIL_MISSING', `${operator.name} needs the customer’s e-mail address.`);
  }
  return { operator, phoneNumber, email: customerEmail, localNumber: phoneNumber.slice(prefix.length) };
}
