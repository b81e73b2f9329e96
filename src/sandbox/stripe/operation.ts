import type { StripeAccount } from './account.js';
import type { FormValues } from './form-body.js';
import { refuseUnknownParameters, text } from './parameters.js';

/** One thing that the API can be asked for. */
export interface Operation {
  readonly name: string;
  /** `:id` stands for an id. */
  readonly route: string;
  /** Parameters it takes beside `expand`; others are refused, as Stripe does. */
  readonly parameters: ReadonlySet<string>;
  run(account: StripeAccount, form: FormValues, id: string): object;
}

/** The parameters of every list. */
export const PAGE = 'limit starting_after ending_before created';

export function operation(name: string, route: string, parameters: string, run: Operation['run']): Operation {
  const known = new Set(parameters.split(' '));
  return {
    name,
    route,
    parameters: known,
    run: (account, form, id) => {
      refuseUnknownParameters(form, known);
      return run(account, form, id);
    },
  };
}

/** Those whose field has the value that the parameter of the same name asks for. */
export function matching<Item extends object>(
  items: Iterable<Item>,
  form: FormValues,
  ...names: (keyof Item & string)[]
): Item[] {
  return names.reduce<Item[]>(
    (left, name) => {
      const wanted = text(form, name);
      return wanted === undefined ? left : left.filter((item) => item[name] === wanted);
    },
    [...items],
  );
}

/** What is shown of records. */
export function objectsOf<Item>(records: ReadonlyMap<string, { readonly object: Item }>): Item[] {
  return [...records.values()].map(({ object }) => object);
}
