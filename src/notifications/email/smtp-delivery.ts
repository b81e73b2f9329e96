import { createTransport } from 'nodemailer';
import type { Logger } from 'pino';
import { asMessage, DeliveryFailed, type EmailDelivery } from './email-delivery.js';

const CONNECT_MILLISECONDS = 10_000;
const GREETING_MILLISECONDS = 10_000;
const IDLE_SOCKET_MILLISECONDS = 20_000;

/** As many as jobs run side by side, or more: an e-mail must not wait for a connection. */
const MOST_CONNECTIONS = 10;

/**
 * Over SMTP, on connections that are kept for a while.
 * @param url `smtp://user:password@host:587`, or `smtps://` for TLS from the first byte. Where there is a password, it
 * is only ever sent over TLS, unless the URL itself says `?ignoreTLS=true`.
 */
export function smtpDelivery(url: string, log: Logger): EmailDelivery {
  const { username, password, searchParams } = new URL(url);
  const saysItself = searchParams.has('requireTLS') || searchParams.has('ignoreTLS');
  const transport = createTransport({
    url,
    pool: true,
    ...((username || password) && !saysItself && { requireTLS: true }),
    maxConnections: MOST_CONNECTIONS,
    // Our rows try again, and they remember how often.
    maxRequeues: 0,
    connectionTimeout: CONNECT_MILLISECONDS,
    greetingTimeout: GREETING_MILLISECONDS,
    socketTimeout: IDLE_SOCKET_MILLISECONDS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  transport.on('error', (error: Error) =>
    log.warn({ err: error }, 'a connection to the mail server was lost'),
  );
  return {
    async deliver(email, signal) {
      try {
        await transport.sendMail({ ...asMessage(email), signal });
      } catch (error) {
        throw asFailure(error);
      }
    },
    close: () => transport.close(),
  };
}

interface SmtpError extends Error {
  readonly code?: string;
  /** During which SMTP command. API: before any. */
  readonly command?: string;
  /** By the server's answer: 5xx. Undefined where it did not answer. */
  readonly permanent?: boolean;
}

/**
 * What the server says for good of this recipient or of this message is final. What it says of us (a password, the
 * sender) is put right by a person, and then it goes out.
 */
function asFailure(error: unknown): DeliveryFailed {
  const { message, code, command, permanent } = error as SmtpError;
  const isRefused = permanent === true && (command === 'RCPT TO' || command === 'DATA');
  const isNoAddress = code === 'EENVELOPE' && command === 'API';
  return new DeliveryFailed(message, isRefused || isNoAddress, { cause: error });
}
