import type { Country } from '../provider.js';

/**
 * What PayDunya's page calls the mobile money of each country. Not always the names of its SoftPay paths; from the
 * vendor's list of channels as integrators repeat it.
 */
const MOBILE_MONEY_CHANNELS: Readonly<Record<Country, readonly string[]>> = {
  SN: ['orange-money-senegal', 'wave-senegal', 'free-money-senegal', 'expresso-sn', 'wizall-senegal'],
  CI: ['orange-money-ci', 'wave-ci', 'mtn-ci', 'moov-ci'],
  BJ: ['mtn-benin', 'moov-benin'],
  BF: ['orange-money-burkina', 'moov-burkina-faso'],
  TG: ['t-money-togo', 'moov-togo'],
  ML: ['orange-money-mali', 'moov-ml'],
};

export const CARD_CHANNELS: readonly string[] = ['card'];

/** Undefined where we know of none: then the page isn't limited. */
export function mobileMoneyChannels(country: Country): readonly string[] | undefined {
  return Object.hasOwn(MOBILE_MONEY_CHANNELS, country) ? MOBILE_MONEY_CHANNELS[country] : undefined;
}
