/**
 * Stripe's form bodies and query strings: `metadata[order]=7&expand[0]=latest_charge&expand[]=customer`. Brackets nest,
 * and an object whose names are all numbers is a list.
 */
export type FormValue = string | FormValue[] | FormValues;
export interface FormValues {
  [name: string]: FormValue;
}

/** @throws {URIError} for a broken percent-encoding. */
export function parseForm(text: string): FormValues {
  const form = emptyForm();
  if (text === '') return form;
  for (const pair of text.split('&')) {
    const equals = pair.indexOf('=');
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    if (name !== '') put(form, pathOf(name), equals < 0 ? '' : decode(pair.slice(equals + 1)));
  }
  return listsOf(form) as FormValues;
}

function decode(text: string): string {
  return decodeURIComponent(text.includes('+') ? text.replaceAll('+', ' ') : text);
}

/** "a[b][0]" → a, b, 0 */
function pathOf(name: string): string[] {
  const bracket = name.indexOf('[');
  if (bracket <= 0 || !name.endsWith(']')) return [name];
  return [name.slice(0, bracket), ...name.slice(bracket + 1, -1).split('][')];
}

function put(form: FormValues, path: readonly string[], value: string): void {
  let place = form;
  for (const [depth, step] of path.entries()) {
    const name = step === '' ? String(Object.keys(place).length) : step;
    if (depth === path.length - 1) {
      place[name] = value;
      return;
    }
    const next = place[name];
    place = place[name] = isForm(next) ? next : emptyForm();
  }
}

function listsOf(value: FormValue): FormValue {
  if (!isForm(value)) return value;
  const names = Object.keys(value);
  if (names.length > 0 && names.every((name, index) => name === String(index))) {
    return names.map((name) => listsOf(value[name] ?? ''));
  }
  for (const name of names) value[name] = listsOf(value[name] ?? '');
  return value;
}

export function isForm(value: FormValue | undefined): value is FormValues {
  return typeof value === 'object' && !Array.isArray(value);
}

/** Without a prototype, so that a parameter named `__proto__` is only a name. */
function emptyForm(): FormValues {
  return Object.create(null) as FormValues;
}
