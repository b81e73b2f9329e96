import type { AttemptToInitiate } from '../provider.js';

/** The payer reads it in the operator's message: 4 to 22 letters, digits and spaces. Undefined where too few are left. */
export function customerMessage(description: string): string | undefined {
  const plain = description
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9]+/g, ' ')
    .trim()
    .slice(0, 22)
    .trim();
  return plain.length >= 4 ? plain : undefined;
}

/** The payer reads it on the payment page: 1 to 50 characters. */
export function pageReason(description: string): string | undefined {
  const characters = [...description.replace(/[\p{Cc}\s]+/gu, ' ').trim()];
  return characters.length > 0 ? characters.slice(0, 50).join('').trim() : undefined;
}

/** By which callbacks are known as ours; pawaPay brings back the one, the other, or both. */
export function marks({ reference }: Pick<AttemptToInitiate, 'reference'>): object {
  return { clientReferenceId: reference, metadata: [{ attempt: reference }] };
}
