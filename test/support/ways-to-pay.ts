import { RETURN_URL } from './running-app.js';

export const CARD = { method: 'CARD' };
export const BANK = { method: 'BANK', returnUrl: RETURN_URL };

/** Stripe's test number of a card that pays. */
export const GOOD_CARD = '4242424242424242';

/** Stripe's test number of a card that is always declined. */
export const DECLINED_CARD = '4000000000000002';

/** Stripe's test number of an account whose debit is processed for a time before it pays. */
export const BANK_DEBIT = '000123456789';
