export interface Mail {
  readonly to: string;
  readonly subject: string;
  /** Its plain form. */
  readonly text: string;
}

interface Part {
  readonly header: string;
  readonly body: string;
}

/** As much of RFC 2045 to 2047 as nodemailer writes for us. @param file each character one byte. */
export function readMail(file: string): Mail {
  const mail = partOf(file);
  const [, boundary = ''] = /boundary="([^"]+)"/.exec(mail.header) ?? [];
  const parts = mail.body.split(`--${boundary}`).map((part) => partOf(part.trimStart()));
  const plain = parts.find(({ header }) => header.includes('text/plain'));
  return {
    to: words(fieldOf(mail, 'To')),
    subject: words(fieldOf(mail, 'Subject')),
    text: plain ? decoded(plain.body, fieldOf(plain, 'Content-Transfer-Encoding')).trim() : '',
  };
}

/** Long fields go on in lines that begin with a space. */
function partOf(text: string): Part {
  const end = text.indexOf('\r\n\r\n');
  return { header: text.slice(0, end).replace(/\r\n(?=[ \t])/g, ''), body: text.slice(end + 4) };
}

function fieldOf({ header }: Part, name: string): string {
  return new RegExp(`^${name}: *(.*)$`, 'im').exec(header)?.[1] ?? '';
}

/** `=?UTF-8?Q?confirm=C3=A9e?=`; the space between two of them is none. */
function words(field: string): string {
  return field
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?UTF-8\?([QB])\?(.*?)\?=/gi, (_whole, way: string, coded: string) =>
      way.toUpperCase() === 'B'
        ? decoded(coded, 'base64')
        : decoded(coded.replaceAll('_', ' '), 'quoted-printable'),
    );
}

function decoded(text: string, encoding: string): string {
  if (encoding === 'base64') return Buffer.from(text, 'base64').toString('utf8');
  const bytes =
    encoding === 'quoted-printable'
      ? text
          .replace(/=\r\n/g, '')
          .replace(/=([0-9A-F]{2})/g, (_whole, code: string) =>
            String.fromCharCode(Number.parseInt(code, 16)),
          )
      : text;
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
