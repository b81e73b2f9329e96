import { parseDictionary, ParseError } from 'structured-headers';
import type { NotificationHeaders } from '../provider.js';
import { headerOf } from './notification-headers.js';

/** What the headers of a callback claim. Nothing of it is proven yet. */
export interface SignatureClaim {
  /** What is signed, in this order. */
  readonly components: readonly string[];
  /** Components and parameters as they were sent: the last line of what is signed. */
  readonly parameters: string;
  readonly algorithm: string;
  readonly keyId: string;
  readonly createdSeconds: number;
  readonly expiresSeconds: number;
  readonly signature: Buffer;
}

/** Without these, a signature of one callback could be put on another. */
const REQUIRED_COMPONENTS = ['@method', '@authority', '@path', 'content-digest', 'signature-date'];

/** How long pawaPay's signatures were seen to hold. */
const USUAL_LIFE_SECONDS = 60;

/** The claim, or what is wrong with it. There must be one signature: which of two is meant would be the sender's choice. */
export function readClaim(headers: NotificationHeaders): SignatureClaim | string {
  const signatureHeader = headerOf(headers, 'signature');
  const inputHeader = headerOf(headers, 'signature-input')?.trim();
  if (signatureHeader === undefined) return 'not one Signature';
  if (inputHeader === undefined) return 'not one Signature-Input';
  const input = onlyMember(inputHeader);
  const member = onlyMember(signatureHeader);
  if (!input || !member) return 'not one signature in the form of RFC 9421';
  const signature = member.bytes && Buffer.from(member.bytes);
  const { label } = input;
  // One spelling of the bytes: base 64 has several. What stands around them doesn't matter.
  const isSpelledSo = signature && signatureHeader.includes(`=:${signature.toString('base64')}:`);
  if (!isSpelledSo || member.label !== label) {
    return 'no signature of the label of Signature-Input';
  }
  if (!input.components || !inputHeader.startsWith(`${label}=`)) return 'no list of components';
  const missing = REQUIRED_COMPONENTS.filter((name) => !input.components?.includes(name));
  if (missing.length > 0) return `${missing.join(', ')} is not signed`;
  const parameters = readParameters(input.parameters);
  if (typeof parameters === 'string') return parameters;
  const text = inputHeader.slice(label.length + 1);
  return { components: input.components, parameters: text, ...parameters, signature };
}

/** A value with its parameters, as RFC 8941 has them; of a list, the value is its items. */
type Item = readonly [unknown, Parameters];
type Parameters = ReadonlyMap<string, unknown>;

interface Member {
  readonly label: string;
  readonly parameters: Parameters;
  /** Of a list of plain texts. */
  readonly components?: readonly string[];
  readonly bytes?: ArrayBuffer;
}

function onlyMember(header: string): Member | undefined {
  const [member, ...others] = parseStructured(header) ?? [];
  if (!member || others.length > 0) return undefined;
  const [label, [value, parameters]] = member;
  const bytes = value instanceof ArrayBuffer ? value : undefined;
  return { label, parameters, bytes, components: Array.isArray(value) ? readComponents(value) : undefined };
}

/** Undefined for components with parameters, of which pawaPay uses none, and for one that comes twice. */
function readComponents(items: readonly Item[]): readonly string[] | undefined {
  const names = items.map(([name, parameters]) => (parameters.size === 0 ? name : undefined));
  if (!names.every((name) => typeof name === 'string')) return undefined;
  return new Set(names).size === names.length ? names : undefined;
}

function readParameters(
  parameters: Parameters,
): Pick<SignatureClaim, 'algorithm' | 'keyId' | 'createdSeconds' | 'expiresSeconds'> | string {
  const algorithm = parameters.get('alg');
  const keyId = parameters.get('keyid');
  const createdSeconds = parameters.get('created');
  if (typeof algorithm !== 'string' || typeof keyId !== 'string') return 'no algorithm, or no key';
  if (!Number.isInteger(createdSeconds)) return 'no time at which it was made';
  const created = Number(createdSeconds);
  const expires = parameters.get('expires') ?? created + USUAL_LIFE_SECONDS;
  if (!Number.isInteger(expires)) return 'no readable time at which it expires';
  return { algorithm, keyId, createdSeconds: created, expiresSeconds: Number(expires) };
}

/** Undefined for what is no dictionary of RFC 8941. */
export function parseStructured(header: string): ReadonlyMap<string, Item> | undefined {
  try {
    return parseDictionary(header);
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}
