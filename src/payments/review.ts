import { moveTo, record, setFailure, summaryOf, tellAgain, type PaymentChange } from './payment-change.js';

/** What is wrong with money, or with what is said of it. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  /** The provider, and its id of what is wrong: by both it is known again, in whatever form it is told. */
  readonly about: string;
}

/**
 * Money that can't be honoured is never dropped: a person decides. Where the table has no such step (the intent was
 * PAID already), the reason stands on the intent, and everybody is told of it all the same. Each problem counts once:
 * providers repeat what they say, and so does each answer to our asking.
 */
export function review(change: PaymentChange, problem: Problem): string {
  if (isNoted(change, problem)) return 'nothing new';
  const { code, message } = problem;
  change.intent.notedProblems = [...change.intent.notedProblems, nameOf(problem)];
  setFailure(change, code, message);
  // What was PAID once stays what it is: its goods may be gone.
  if (change.intent.paidAt !== null || !moveTo(change, 'REVIEW')) recordNoted(change, code);
  return `${code}: ${message}`;
}

/** The same for what brought no money: the payment stays as it is, and everybody is told. */
export function note(change: PaymentChange, problem: Problem): string {
  if (isNoted(change, problem)) return 'nothing new';
  const { code, message } = problem;
  change.intent.notedProblems = [...change.intent.notedProblems, nameOf(problem)];
  setFailure(change, code, message);
  recordNoted(change, code);
  return `${code}: ${message}`;
}

function recordNoted(change: PaymentChange, code: string): void {
  record(change, 'payment.noted', summaryOf(change.intent), { reason: code });
  tellAgain(change, { noted: code });
}

export function isNoted({ intent }: PaymentChange, problem: Pick<Problem, 'code' | 'about'>): boolean {
  return intent.notedProblems.includes(nameOf(problem));
}

function nameOf({ code, about }: Pick<Problem, 'code' | 'about'>): string {
  return `${code} ${about}`;
}
