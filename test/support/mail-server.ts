import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { eventually } from './eventually.js';

/** What the server answers at one step of the conversation, in place of taking it. */
export interface Refusal {
  readonly at: 'AUTH' | 'MAIL' | 'RCPT' | 'DATA';
  readonly code: number;
  readonly text: string;
}

/** A real mail server: it takes mails over SMTP, and tests read them. */
export interface MailServer {
  readonly url: string;
  readonly port: number;
  /** All that it has taken, as a mail program shows them. */
  readonly mails: readonly Email[];
  /** From now on. Null: it takes everything. */
  refuse(refusal: Refusal | null): void;
  /** How long it considers each mail before it answers. */
  pause(milliseconds: number): void;
  /** How often somebody asked it to take a mail. */
  readonly tries: number;
  /** Waits until so many have come to this address (of this subject), and gives them. */
  until(count: number, to: string): Promise<Email[]>;
  stop(): Promise<void>;
  /** On the same port. */
  start(): Promise<void>;
}

export async function startMailServer(options: SMTPServerOptions = {}): Promise<MailServer> {
  const mails: Email[] = [];
  let refusal: Refusal | null = null;
  let pauseMilliseconds = 0;
  let tries = 0;
  let port = 0;
  const refusalAt = (at: Refusal['at']): Error | null =>
    refusal?.at === at ? Object.assign(new Error(refusal.text), { responseCode: refusal.code }) : null;
  const open = async (): Promise<SMTPServer> => {
    const server = new SMTPServer({
      // Its certificate is known to everybody, and says so: that will do for tests.
      logger: false,
      authOptional: true,
      disabledCommands: options.secure ? [] : ['STARTTLS'],
      ...options,
      onAuth: ({ username }, _session, done) => done(refusalAt('AUTH'), { user: username }),
      onMailFrom: (_address, _session, done) => {
        tries += 1;
        done(refusalAt('MAIL'));
      },
      onRcptTo: (_address, _session, done) => done(refusalAt('RCPT')),
      onData(stream, _session, done) {
        const take = async (): Promise<void> => {
          const mail = await PostalMime.parse(await buffer(stream));
          const refused = refusalAt('DATA');
          if (!refused) mails.push(mail);
          setTimeout(() => done(refused), pauseMilliseconds);
        };
        take().catch((error: unknown) => done(error as Error));
      },
    });
    // A client that breaks off is no fault of the server's.
    server.on('error', () => undefined);
    server.listen(port, '127.0.0.1');
    await once(server.server, 'listening');
    port = (server.server.address() as AddressInfo).port;
    return server;
  };
  let server = await open();
  const stop = () => new Promise<void>((resolve) => server.close(() => resolve()));
  return {
    get url() {
      return `smtp://127.0.0.1:${port}`;
    },
    get port() {
      return port;
    },
    mails,
    get tries() {
      return tries;
    },
    refuse: (next) => (refusal = next),
    pause: (milliseconds) => (pauseMilliseconds = milliseconds),
    until: (count, to) =>
      eventually(
        () => mails.filter((mail) => mail.to?.some(({ address }) => address === to)),
        (found) => found.length >= count,
      ),
    stop,
    start: async () => {
      server = await open();
    },
  };
}
