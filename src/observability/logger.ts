import { pino, type Logger } from 'pino';
import pretty from 'pino-pretty';
import { loggedError, loggedErrorInOneLine } from './logged-error.js';

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

/** What must never stand in a log, wherever an object carries it. */
const SECRETS = [
  'authorization',
  'apiKey',
  'secretKey',
  'clientSecret',
  'client_secret',
  'token',
  'password',
];

/** Lines of JSON; or, for a person at a terminal, lines to read. */
export function createLogger(level: LogLevel, readable: boolean): Logger {
  const options = {
    level,
    serializers: { err: readable ? loggedErrorInOneLine : loggedError },
    redact: { paths: SECRETS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '[redacted]' },
  };
  if (!readable) return pino(options);
  return pino(options, pretty({ sync: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l' }));
}
