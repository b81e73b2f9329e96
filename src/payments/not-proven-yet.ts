/**
 * A notification speaks of money, and only our mark ties it to the attempt. It is kept, and its provider is asked about
 * the attempt before anything is believed.
 */
export class NotProvenYet extends Error {
  override readonly name = 'NotProvenYet';
}
