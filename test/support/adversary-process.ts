import { seededRandom } from '../../src/sandbox/seeded-random.js';
import { startFlood } from './adversary.js';

/** The program that `adversary-starter.ts` runs: a process of its own, so that those who measure don't wait for it. */
const [url, sku, skuOfDays, clients, seed] = process.argv.slice(2);
if (!url || !sku || !skuOfDays || !clients || !seed)
  throw new Error('usage: <url> <sku> <sku of days> <clients> <seed>');
const count = Number(clients);
const randoms = Array.from({ length: count }, (_, index) => seededRandom(Number(seed) * 1_000 + index));
const flood = startFlood({ url, sku, skuOfDays }, count, randoms);
console.log('attacking');
process.once('SIGTERM', () => {
  console.log(JSON.stringify(flood.counts()));
  process.exit(0);
});
