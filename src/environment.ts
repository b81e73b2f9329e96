import { z } from 'zod';

export type Environment = Readonly<Record<string, string | undefined>>;

const SHORTEST_SECRET = 32;

// What variables of an environment can be. Each complaint stands behind the variable's name, and never repeats a secret.

export const text = z.string().trim().min(1, 'must not be empty');

export const list = text
  .transform((value) => value.split(',').map((part) => part.trim()))
  .pipe(z.array(z.string().min(1, 'must have something between its commas')));

export const secret = text.min(SHORTEST_SECRET, `must have at least ${SHORTEST_SECRET} characters`);

export const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' });

export const yesOrNo = z
  .enum(['yes', 'no'], { error: 'must be yes or no' })
  .transform((value) => value === 'yes');

export function whole(minimum: number, maximum: number) {
  return z.coerce
    .number({ error: 'must be a whole number' })
    .int('must be a whole number')
    .min(minimum, `must be at least ${minimum}`)
    .max(maximum, `must be at most ${maximum}`);
}

/** What the variables of an environment say, by their schemas. */
export type ValuesOf<Variables extends Readonly<Record<string, z.ZodType>>> = {
  readonly [Name in keyof Variables]?: z.output<Variables[Name]>;
};

export function isSet(given: string | undefined): given is string {
  // An empty variable is how compose files and CI say "not set".
  return given !== undefined && given.trim() !== '';
}

/** @param faults is told of each variable that makes no sense. */
export function readAll<Variables extends Readonly<Record<string, z.ZodType>>>(
  variables: Variables,
  environment: Environment,
  prefix: string,
  faults: string[],
): ValuesOf<Variables> {
  const values: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(variables)) {
    const given = environment[prefix + name];
    if (!isSet(given)) continue;
    const parsed = schema.safeParse(given);
    if (parsed.success) values[name] = parsed.data;
    else faults.push(`${prefix}${name} ${parsed.error.issues[0]?.message ?? 'is not valid'}`);
  }
  return values as ValuesOf<Variables>;
}
