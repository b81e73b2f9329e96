/** An answer of pawaPay's that a route gives by throwing: refused, and why. */
export class PawaPayProblem extends Error {
  constructor(
    readonly status: number,
    readonly failureCode: string,
    message: string,
  ) {
    super(message);
  }

  get failureReason(): { failureCode: string; failureMessage: string } {
    return { failureCode: this.failureCode, failureMessage: this.message };
  }
}

/** The request makes no sense as it stands. */
export function badInput(failureCode: string, message: string): PawaPayProblem {
  return new PawaPayProblem(400, failureCode, message);
}

/** The request makes sense, and is refused all the same: pawaPay answers that with 200. */
export function rejection(failureCode: string, message: string): PawaPayProblem {
  return new PawaPayProblem(200, failureCode, message);
}
