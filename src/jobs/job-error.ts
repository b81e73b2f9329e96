export type JobErrorKind = 'JOB_NOT_FOUND';

export class JobError extends Error {
  override readonly name = 'JobError';

  constructor(
    readonly kind: JobErrorKind,
    message: string,
  ) {
    super(message);
  }
}
