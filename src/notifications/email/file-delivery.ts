import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import type { Logger } from 'pino';
import { asMessage, DeliveryFailed, type EmailDelivery } from './email-delivery.js';

/**
 * Into a folder, as files that mail programs open. They hold links with which a payer's order can be opened, so nobody
 * but this account may read them.
 */
export function fileDelivery(folder: string, log: Logger): EmailDelivery {
  const transport = createTransport({ streamTransport: true, buffer: true, newline: 'windows' });
  return {
    async deliver(email) {
      const path = join(folder, `${email.messageId.split('@')[0]}.eml`);
      try {
        const { message } = await transport.sendMail(asMessage(email));
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await writeFile(`${path}.part`, message as Buffer, { mode: 0o600 });
        await rename(`${path}.part`, path);
      } catch (error) {
        throw new DeliveryFailed(`can't be written to ${path}: ${String(error)}`, false, { cause: error });
      }
      log.info({ email: email.id, path }, 'an e-mail was written to a file, for there is no mail server');
    },
    close: () => transport.close(),
  };
}
