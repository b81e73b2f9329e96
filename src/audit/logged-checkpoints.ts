import { z } from 'zod';

const LOGGED = z.object({ auditCheckpoint: z.object({ number: z.int(), mac: z.string() }) });

/** What the server's own log says of a checkpoint. */
export type LoggedCheckpoint = z.output<typeof LOGGED>['auditCheckpoint'];

/** @param log lines of JSON, perhaps with something before them on each line, as log collectors write it. */
export function checkpointsInLog(log: string): LoggedCheckpoint[] {
  return log.split('\n').flatMap((line) => {
    if (!line.includes('"auditCheckpoint"')) return [];
    const read = LOGGED.safeParse(jsonIn(line));
    return read.success ? [read.data.auditCheckpoint] : [];
  });
}

function jsonIn(line: string): unknown {
  try {
    return JSON.parse(line.slice(line.indexOf('{')));
  } catch {
    // Cut off, or another program's.
    return undefined;
  }
}
