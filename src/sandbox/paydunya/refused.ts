/** The keys are not the account's. */
export const WRONG_KEYS = '1001';

/** What is known of it: a parameter is missing or invalid. There is no official table of the others. */
const BAD_PARAMETER = '4002';

/** No success, in PayDunya's way: HTTP 200 with a code other than `00`, or with `success: false`. */
export class Refused extends Error {
  constructor(
    text: string,
    readonly code: string = BAD_PARAMETER,
  ) {
    super(text);
  }
}
