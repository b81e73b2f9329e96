/** Names may be nested, as PHP writes them: `data[invoice][token]`. */
export interface NestedForm {
  [name: string]: string | NestedForm;
}

/** A notification has about thirty fields, and six for each item of its invoice. */
export const MOST_FIELDS = 1_000;

const DEEPEST = 8;

/** A form-encoded body; undefined as of `nestFields`. */
export function parseNestedForm(body: string): NestedForm | undefined {
  // Counted before they are read: a megabyte of "a&" is half a million of them.
  if (body.split('&', MOST_FIELDS + 1).length > MOST_FIELDS) return undefined;
  return nestFields([...new URLSearchParams(body)]);
}

/**
 * The fields of a form, nested by their names. Undefined for a form that means two things (a field twice, a text where
 * others are nested), and for one that is too large: a reader that chooses may choose another than the one before it. A
 * name that is none is left out.
 */
export function nestFields(fields: readonly (readonly [string, string])[]): NestedForm | undefined {
  if (fields.length > MOST_FIELDS) return undefined;
  const form = emptyForm();
  for (const [name, value] of fields) {
    const path = pathOf(name);
    if (path && !place(form, path, value)) return undefined;
  }
  return form;
}

function pathOf(name: string): string[] | undefined {
  const match = /^([^[\]]+)((?:\[[^[\]]*\])*)$/.exec(name);
  const [, first, nested = ''] = match ?? [];
  if (first === undefined) return undefined;
  return [first, ...[...nested.matchAll(/\[([^[\]]*)\]/g)].map(([, part = '']) => part)];
}

/** False when there is no room for it. */
function place(form: NestedForm, path: readonly string[], value: string): boolean {
  if (path.length > DEEPEST) return false;
  let place = form;
  for (const [depth, part] of path.entries()) {
    // `channels[]` is the next of a list.
    const name = part === '' ? String(Object.keys(place).length) : part;
    const there = place[name];
    if (depth === path.length - 1) {
      if (there !== undefined) return false;
      place[name] = value;
      return true;
    }
    if (typeof there === 'string') return false;
    place = place[name] = there ?? emptyForm();
  }
  return false;
}

/** Without a prototype there is nothing to inherit and nothing to pollute, whatever a name may be. */
function emptyForm(): NestedForm {
  return Object.create(null) as NestedForm;
}
