/**
 * Loaded into the server's process before the product (`node --import`). It sees every write to the database and every
 * call of a provider, and at the one that it is told of, it kills the process: at once, as a power cut does, either just
 * before the write or the call is sent, or just after its answer has arrived and before anybody has read it.
 *
 * The test arms it with a message: `{ record: true }` to be told of each point as it is passed, `{ killAt: … }` to die
 * there, `{}` for neither. Counting begins anew each time.
 *
 * Left out is what is no part of the money and comes whenever it likes: the log of the providers' calls, which is written
 * in the background every quarter second, and the question how operators of mobile money are doing.
 *
 * A point is a label and an occurrence. Jobs look for work again and again with the same statement, so an execution that
 * changes no row, or fails, doesn't count; thus "after commit_payment_change #2" is the second one that wrote something.
 */
import http from 'node:http';
import https from 'node:https';
import { syncBuiltinESMExports } from 'node:module';
import pg from 'pg';

const NO_POINTS = new Set(['insert_provider_calls', 'GET /v2/availability']);

let orders = {};
let counts = new Map();

process.on('message', (message) => {
  orders = message;
  counts = new Map();
  process.send({ armed: true });
});
// The test must not keep a server alive that is told to stop.
process.channel?.unref();

const countsOf = (label) => {
  if (!counts.has(label)) counts.set(label, { begun: 0, idle: 0, done: 0 });
  return counts.get(label);
};

function dieIfHere(side, label, occurrence) {
  const { killAt } = orders;
  if (killAt?.side !== side || killAt.label !== label || killAt.occurrence !== occurrence) return;
  process.kill(process.pid, 'SIGKILL');
}

/** @returns what to call when it is done, with whether it has changed anything. */
function pass(label) {
  if (NO_POINTS.has(label)) return () => undefined;
  const count = countsOf(label);
  count.begun += 1;
  dieIfHere('before', label, count.begun - count.idle);
  return (changed) => {
    // Armed anew meanwhile: this one belongs to what was before.
    if (countsOf(label) !== count) return;
    if (changed) count.done += 1;
    else count.idle += 1;
    if (orders.record) process.send({ label, occurrence: changed ? count.done : null });
    if (changed) dieIfHere('after', label, count.done);
  };
}

const LONGEST_LABEL = 60;

/**
 * The name of a prepared statement, or the first words; undefined when it is no write. The numbers at the end of a name say of
 * which parts it was put together, which may be a matter of chance: all that a change writes counts as one.
 */
function labelOf(query) {
  const { name, text } = typeof query === 'string' ? { text: query } : query;
  if (typeof text !== 'string') return undefined;
  const words = text.replace(/\s+/g, ' ').trim();
  if (!/\b(INSERT|UPDATE|DELETE)\b/i.test(words.replaceAll(/FOR (NO KEY )?UPDATE/gi, ''))) return undefined;
  return name?.replace(/(_\d+)+$/, '') || words.slice(0, LONGEST_LABEL).replace(/ \S*$/, '');
}

/** Connections in whose transaction something was written. Only its COMMIT makes that true. */
const writtenIn = new WeakSet();

function changedRows(client, result) {
  // A guarded statement that came too late says itself that it wrote nothing.
  if (!(result?.rowCount > 0) || result.rows[0]?.committed === 0) return false;
  writtenIn.add(client);
  return true;
}

function labelOfCommit(client, query) {
  const text = (typeof query === 'string' ? query : query.text)?.trim().toUpperCase();
  const ends = text === 'COMMIT' || text === 'ROLLBACK';
  if (text === 'START TRANSACTION' || text === 'BEGIN') writtenIn.delete(client);
  if (!ends || !writtenIn.has(client)) return undefined;
  writtenIn.delete(client);
  return text === 'COMMIT' ? 'COMMIT' : undefined;
}

const query = pg.Client.prototype.query;
pg.Client.prototype.query = function watchedQuery(...given) {
  const [statement] = given;
  const commit = labelOfCommit(this, statement);
  const label = commit ?? labelOf(statement);
  if (label === undefined) return query.apply(this, given);
  const passed = pass(label);
  const done = (error, result) => passed(!error && (commit !== undefined || changedRows(this, result)));
  const callback = given.at(-1);
  if (typeof callback === 'function') {
    given[given.length - 1] = (error, result) => {
      done(error, result);
      callback(error, result);
    };
    return query.apply(this, given);
  }
  return query.apply(this, given).then(
    (result) => {
      done(null, result);
      return result;
    },
    (error) => {
      done(error);
      throw error;
    },
  );
};

/** `POST /v1/payment_intents/:id/capture`: identifiers are those parts of a path that have digits, but versions. */
function labelOfCall(method, path) {
  const parts = path.split('?')[0].split('/');
  return `${method} ${parts.map((part) => (/\d/.test(part) && !/^v\d+$/.test(part) ? ':id' : part)).join('/')}`;
}

for (const protocol of [http, https]) {
  const request = protocol.request;
  protocol.request = function watchedRequest(...given) {
    // Made, but nothing of it is sent before the caller's turn is over.
    const outgoing = request.apply(this, given);
    const passed = pass(labelOfCall(outgoing.method, outgoing.path));
    outgoing.prependOnceListener('response', () => passed(true));
    outgoing.prependOnceListener('error', () => passed(false));
    return outgoing;
  };
}
syncBuiltinESMExports();

const fetch = globalThis.fetch;
globalThis.fetch = async function watchedFetch(...given) {
  const [address, { method = 'GET' } = {}] = given;
  const passed = pass(labelOfCall(method, new URL(address).pathname));
  try {
    const response = await fetch.apply(this, given);
    passed(true);
    return response;
  } catch (error) {
    passed(false);
    throw error;
  }
};
