/** An address, and who is there. */
export interface Mailbox {
  readonly name: string | null;
  readonly address: string;
}

const WITH_NAME = /^\s*"?([^"<>\r\n]*?)"?\s*<([^\s<>@]+@[^\s<>@]+)>\s*$/;
const ADDRESS = /^\s*([^\s<>@"]+@[^\s<>@"]+)\s*$/;

/** `Shop <orders@shop.example>`, or the address alone. Null for everything else. */
export function parseMailbox(text: string): Mailbox | null {
  const [, name, address] = WITH_NAME.exec(text) ?? [];
  if (address !== undefined) return { name: name === '' ? null : name!, address };
  const [, alone] = ADDRESS.exec(text) ?? [];
  return alone === undefined ? null : { name: null, address: alone };
}

/** `shop.example` of `orders@shop.example`. */
export function domainOf({ address }: Mailbox): string {
  return address.slice(address.lastIndexOf('@') + 1);
}
