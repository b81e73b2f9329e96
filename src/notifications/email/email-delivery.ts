import type { SendMailOptions } from 'nodemailer/lib/mailer';
import type { Mailbox } from './mailbox.js';

/** An e-mail as it goes out. */
export interface OutgoingEmail {
  readonly id: string;
  /** The same for every try, so that whoever receives it twice knows it. */
  readonly messageId: string;
  readonly from: Mailbox;
  readonly to: string;
  readonly language: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** How e-mails leave the house. */
export interface EmailDelivery {
  /** @throws {DeliveryFailed} */
  deliver(email: OutgoingEmail, signal: AbortSignal): Promise<void>;
  /** After it, nothing is delivered. */
  close(): void;
}

export class DeliveryFailed extends Error {
  override readonly name = 'DeliveryFailed';

  /** @param isFinal it will never be taken, however often it is tried. */
  constructor(
    message: string,
    readonly isFinal: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The same message for every way to deliver it. */
export function asMessage(email: OutgoingEmail): SendMailOptions {
  const { from, to, messageId, subject, text, html, language } = email;
  return {
    messageId: `<${messageId}>`,
    from: { name: from.name ?? '', address: from.address },
    to: { name: '', address: to },
    subject,
    text,
    html,
    headers: {
      'Content-Language': language,
      // RFC 3834: holiday notes must not be sent back to it.
      'Auto-Submitted': 'auto-generated',
    },
    // Whatever a text says, nothing is read or fetched for it.
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}
