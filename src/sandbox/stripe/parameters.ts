import { isForm, type FormValues } from './form-body.js';
import { invalidRequest } from './stripe-error.js';

/** Parameters that Stripe once had; it names them in its refusal. See `allowed_payment_method_types`. */
const NO_LONGER_SUPPORTED = 'payment_method_types';

export function refuseUnknownParameters(form: FormValues, known: ReadonlySet<string>): void {
  for (const name of Object.keys(form)) {
    if (known.has(name) || name === 'expand') continue;
    if (name === NO_LONGER_SUPPORTED) {
      throw invalidRequest('The payment_method_types parameter is no longer supported.', {
        code: 'payment_method_types_no_longer_supported',
        param: name,
      });
    }
    throw invalidRequest(`Received unknown parameter: ${name}`, { code: 'parameter_unknown', param: name });
  }
}

/** Stripe reads an empty value as "not given". */
export function text(form: FormValues, name: string): string | undefined {
  const value = form[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function requiredText(form: FormValues, name: string): string {
  const value = text(form, name);
  if (value === undefined) throw missing(name);
  return value;
}

export function integer(form: FormValues, name: string): number | undefined {
  const value = text(form, name);
  if (value === undefined) return undefined;
  if (!/^-?\d{1,15}$/.test(value)) {
    throw invalidRequest(`Invalid integer: ${value}`, { code: 'parameter_invalid_integer', param: name });
  }
  return Number(value);
}

export function requiredInteger(form: FormValues, name: string): number {
  const value = integer(form, name);
  if (value === undefined) throw missing(name);
  return value;
}

export function group(form: FormValues, name: string): FormValues | undefined {
  const value = form[name];
  return isForm(value) ? value : undefined;
}

/** A list of groups, as in `line_items[0][quantity]=1`. */
export function groups(form: FormValues, name: string): FormValues[] {
  const value = form[name];
  return Array.isArray(value) ? value.filter(isForm) : [];
}

export function texts(form: FormValues, name: string): string[] {
  const value = form[name];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** Null: whatever the account takes. */
export function allowedTypes<Type extends string>(form: FormValues): Type[] | null {
  const types = texts(form, 'allowed_payment_method_types');
  return types.length === 0 ? null : (types as Type[]);
}

/** What metadata becomes: names are merged, an empty value removes its name, an empty whole removes all. */
export function mergedMetadata(
  present: Readonly<Record<string, string>>,
  form: FormValues,
): Record<string, string> {
  if (form['metadata'] === '') return {};
  const merged = { ...present };
  for (const [name, value] of Object.entries(group(form, 'metadata') ?? {})) {
    if (typeof value !== 'string' || name.length > 40 || value.length > 500) {
      throw invalidRequest('Metadata names have up to 40 characters, and values up to 500.', {
        param: `metadata[${name}]`,
      });
    }
    if (value === '') delete merged[name];
    else merged[name] = value;
  }
  if (Object.keys(merged).length > 50)
    throw invalidRequest('Metadata has up to 50 names.', { param: 'metadata' });
  return merged;
}

function missing(name: string) {
  return invalidRequest(`Missing required param: ${name}.`, { code: 'parameter_missing', param: name });
}
