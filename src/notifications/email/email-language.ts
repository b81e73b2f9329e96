/** The languages that there are templates in. */
export const EMAIL_LANGUAGES = ['en', 'fr'] as const;
export type EmailLanguage = (typeof EMAIL_LANGUAGES)[number];

export interface Spoken {
  readonly language: EmailLanguage;
  /** In which amounts and dates are written: the order's own, where it is of that language. */
  readonly locale: string;
}

/** French for every kind of French, English for the rest of the world. @param locale BCP 47, or as POSIX writes it. */
export function spokenIn(locale: string): Spoken {
  const tag = locale.replaceAll('_', '-');
  const language = /^fr(-|$)/i.test(tag) ? 'fr' : 'en';
  const isOfLanguage = new RegExp(`^${language}(-|$)`, 'i').test(tag);
  return { language, locale: isOfLanguage && isWellFormed(tag) ? tag : language };
}

function isWellFormed(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
