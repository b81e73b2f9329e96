/** How a notification is written. The first is the documented one; all others have been reported by somebody. */
export const NOTIFICATION_SHAPES = [
  /** `data%5Bhash%5D=…`, a PHP-style form. */
  'FORM',
  /** The same with bare brackets: `data[hash]=…`. */
  'FORM_WITH_BARE_BRACKETS',
  /** A form whose `data` is one JSON text. */
  'FORM_WITH_JSON',
  /** The token stands at the top, as `data[token]`, beside the one in the invoice. */
  'FORM_WITH_TOKEN_AT_THE_TOP',
  /** A JSON body `{"data": {…}}`. */
  'JSON',
  /** A JSON body without `data` around it. */
  'JSON_WITHOUT_DATA',
] as const;

export type NotificationShape = (typeof NOTIFICATION_SHAPES)[number];

/** Where PayDunya's documentation, its clients and people's experience differ. What is left out is as documented. */
export interface Dialect {
  readonly notification?: NotificationShape;
  /** How `invoice.total_amount` comes in an answer. */
  readonly amounts?: 'NUMBER' | 'TEXT';
  /** README: `canceled` and `fail`, as in the README of PayDunya's own client. */
  readonly spelling?: 'DOCUMENTED' | 'README';
  /** What the sandbox's make-payment calls the payer's number: its sample and its note differ. */
  readonly sandboxPhoneField?: 'phone_phone' | 'phone_number';
}

const CHOICES: { readonly [Name in keyof Dialect]-?: readonly Dialect[Name][] } = {
  notification: NOTIFICATION_SHAPES,
  amounts: ['NUMBER', 'TEXT'],
  spelling: ['DOCUMENTED', 'README'],
  sandboxPhoneField: ['phone_phone', 'phone_number'],
};

/** @throws {RangeError} for a name or a choice that there is not. */
export function checkedDialect(dialect: Readonly<Record<string, unknown>>): Dialect {
  for (const [name, choice] of Object.entries(dialect)) {
    const choices: readonly unknown[] | undefined = Object.hasOwn(CHOICES, name)
      ? CHOICES[name as keyof Dialect]
      : undefined;
    if (!choices?.includes(choice)) throw new RangeError(`there is no ${name} ${String(choice)}`);
  }
  return dialect;
}
