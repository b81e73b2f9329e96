import type { Customer, JsonObject } from './invoice.js';
import { type FieldRole, isLocalNumber, type Operator } from './operators.js';
import { Refused } from './refused.js';

/** What an operator's request says, whatever its fields are called. */
export interface SoftpayRequest {
  readonly customer: Customer;
  readonly token: string;
  /** The one-time password, where there is one. */
  readonly otp: string | undefined;
  readonly password: string | undefined;
}

/** @throws {Refused} for a name that is missing or wrong, and for a value that can't be. */
export function readSoftpayRequest(operator: Operator, body: JsonObject): SoftpayRequest {
  const { fields, constants } = fieldsFor(operator, body);
  for (const name of Object.keys(body)) {
    if (!(name in fields) && !(name in constants)) throw new Refused(`${operator.path} knows no ${name}`);
  }
  for (const [name, choices] of Object.entries(constants)) {
    if (!choices.includes(textOf(body, name))) {
      throw new Refused(`${name} must be ${choices.join(' or ')}`);
    }
  }
  const said = Object.fromEntries(
    Object.entries(fields).map(([name, role]) => [role, checked(operator, role, name, textOf(body, name))]),
  ) as Partial<Record<FieldRole, string>>;
  return {
    customer: { name: said.NAME ?? '', phone: said.PHONE ?? '', email: said.EMAIL ?? '' },
    token: said.TOKEN ?? '',
    otp: said.OTP,
    password: said.PASSWORD,
  };
}

function fieldsFor({ fields, constants = {}, withCode }: Operator, body: JsonObject) {
  const asksForCode =
    withCode &&
    [...Object.keys(withCode.fields), ...Object.keys(withCode.constants)].some((name) => name in body);
  if (!asksForCode) return { fields, constants };
  return {
    fields: { ...fields, ...withCode.fields },
    constants: { ...constants, ...withCode.constants },
  };
}

function textOf(body: JsonObject, name: string): string {
  const value = body[name];
  if (typeof value !== 'string' || value.trim() === '') throw new Refused(`${name} is missing`);
  return value;
}

function checked(operator: Operator, role: FieldRole, name: string, value: string): string {
  if (role === 'PHONE' && !isLocalNumber(operator, value)) {
    throw new Refused(`${name} must be a local number, without the country's code`);
  }
  if (role === 'EMAIL' && !/^[^@\s]+@[^@\s]+$/.test(value)) throw new Refused(`${name} is no e-mail address`);
  return value;
}
