import type { EntityManager } from 'typeorm';
import { run, statement } from '../database/statement.js';
import { LimitError } from '../limits/limit-error.js';
import type { Presentation } from '../providers/provider.js';
import type { PaymentDependencies } from './payment-dependencies.js';

/** How often payers can make one number ring within an hour. */
export const PHONE_PROMPTS_PER_HOUR = 5;

const HOUR_SECONDS = 3_600;

/** The row's lock makes a burst wait in a line, each with the count that the one before has left. */
const TAKE = statement<{ number_digest: string }>(
  'take_phone_prompt',
  `INSERT INTO phone_prompt AS p (number_digest, prompted_at) VALUES ($1, ARRAY[now()])
   ON CONFLICT (number_digest) DO UPDATE SET prompted_at =
     ARRAY(SELECT at FROM unnest(p.prompted_at) AS at WHERE at > now() - interval '1 hour') || now()
   WHERE (SELECT count(*) FROM unnest(p.prompted_at) AS at WHERE at > now() - interval '1 hour') < $2
   RETURNING number_digest`,
);

const WAIT = statement<{ seconds: number }>(
  'wait_for_phone_prompt',
  `SELECT ceil(extract(epoch FROM min(at) + interval '1 hour' - now()))::integer AS seconds
   FROM phone_prompt, unnest(prompted_at) AS at
   WHERE number_digest = $1 AND at > now() - interval '1 hour'`,
);

/**
 * Before an attempt is written that makes a phone ring: whoever named the number need not be its owner.
 * @throws {LimitError} RATE_LIMITED
 */
export async function takePhonePrompt(
  manager: EntityManager,
  { digestClient, phonePromptsPerHour: most }: PaymentDependencies,
  { phoneNumber, presentation }: { phoneNumber?: string | null; presentation: Presentation },
): Promise<void> {
  if (most === 0 || presentation !== 'PHONE' || !phoneNumber) return;
  const digest = digestClient(phoneNumber);
  const [taken] = await run(manager, TAKE, [digest, most]);
  if (taken) return;
  const [wait] = await run(manager, WAIT, [digest]);
  const seconds = Math.max(1, wait?.seconds ?? HOUR_SECONDS);
  throw new LimitError(
    'RATE_LIMITED',
    `This phone number was asked ${most} times within an hour. Pay in another way, or try again in ${Math.ceil(seconds / 60)} min.`,
    seconds,
  );
}

/** Those that no budget counts any more. */
export async function deleteOldPhonePrompts(manager: EntityManager): Promise<void> {
  await manager.query(`DELETE FROM phone_prompt WHERE now() - interval '1 hour' > ALL (prompted_at)`);
}
