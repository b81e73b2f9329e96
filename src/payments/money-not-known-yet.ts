/**
 * A provider speaks of money going back that we have not heard to have come: notifications come in any order. The one
 * at hand is kept, and tried again until the other has come.
 */
export class MoneyNotKnownYet extends Error {
  override readonly name = 'MoneyNotKnownYet';
}
