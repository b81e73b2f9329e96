import type { Logger } from 'pino';

export interface RepeatedJob {
  /** Runs it now, or once more as soon as the round that is under way is over. */
  wake(): void;
  /** Lets the round that is under way finish, and stops. */
  stop(): Promise<void>;
}

/**
 * Runs a job again and again, with a pause in between and never twice at once. A round that fails is logged, and the
 * next one comes all the same. Several nodes may run the same job: each job claims its rows in the database.
 */
export function repeatJob(
  name: string,
  pauseMilliseconds: number,
  job: () => Promise<unknown>,
  log: Logger,
): RepeatedJob {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let isRunning = false;
  let isWanted = false;
  const round = async (): Promise<void> => {
    isRunning = true;
    isWanted = false;
    try {
      await job();
    } catch (error) {
      log.error(
        { err: error, job: name },
        `the job ${name} failed; it runs again in ${pauseMilliseconds} ms`,
      );
    }
    isRunning = false;
    if (!stopped) timer = setTimeout(start, isWanted ? 0 : pauseMilliseconds);
  };
  let running: Promise<void> = Promise.resolve();
  const start = (): void => {
    running = round();
  };
  timer = setTimeout(start, pauseMilliseconds);
  return {
    wake() {
      isWanted = true;
      if (isRunning || stopped) return;
      clearTimeout(timer);
      timer = setTimeout(start, 0);
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
      clearTimeout(timer);
    },
  };
}
