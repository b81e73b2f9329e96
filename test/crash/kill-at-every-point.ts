import { arm, nameOf, pointsOf, type CrashPoint } from './crash-point.js';
import { endClaims, hasten } from './hasten.js';
import { sampleOf } from './sample.js';
import { openShop, type Shop } from './shop.js';

const WHOLE_SUITE_MILLISECONDS = 15 * 60_000;

/** Which of two notifications is faster, and so which statement takes it, is up to chance: a few are still missed. */
const TRIES_TO_REACH = 3;

/** Of a small sample, a tenth is less than one. */
const FEW_MISSED = 2;

const ENOUGH_FAILURES = 5;

/** Something that happens in a shop from its beginning to its end. */
export interface Tale {
  readonly name: string;
  /** With fewer points, they are no longer found. */
  readonly fewestPoints: number;
  /** Those that this tale, or another one, passes just as well elsewhere. */
  leavesOut?(point: CrashPoint): boolean;
  /** Lets it happen once more, and @throws when it doesn't end as it should. */
  tellAndCheck(shop: Shop): Promise<void>;
}

/** Lets it happen once for each point that it passes, with the server killed there, and expects the same end each time. */
export function killAtEveryPoint(tale: Tale): void {
  let shop: Shop;
  beforeAll(async () => {
    shop = await openShop();
  }, 60_000);
  afterAll(() => shop.close());

  test(
    `${tale.name}: killed before and after every write and every call of the provider, it ends as if nothing had happened`,
    async () => {
      const all = await pointsEachTime(shop, tale);
      const points = sampleOf(tale.name, all);
      const failures: Record<string, string> = {};
      const missed: string[] = [];
      for (const [index, point] of points.entries()) {
        const began = Date.now();
        const { outcome, why } = await killAt(shop, tale, point);
        const seconds = ((Date.now() - began) / 1_000).toFixed(1);
        progress(`${tale.name} ${index + 1}/${points.length} ${nameOf(point)}: ${outcome}, ${seconds} s`);
        if (outcome === 'missed') missed.push(nameOf(point));
        if (outcome !== 'FAILED') continue;
        failures[nameOf(point)] = why;
        if (Object.keys(failures).length === ENOUGH_FAILURES) break;
        // Later tales must not be blamed for what this one has left in the tables.
        await shop.close();
        shop = await openShop();
      }
      expect(failures).toEqual({});
      expect(all.length).toBeGreaterThanOrEqual(tale.fewestPoints);
      expect(missed.length).toBeLessThan(Math.max(FEW_MISSED, points.length / 10));
    },
    WHOLE_SUITE_MILLISECONDS,
  );
}

/** Those that it passes whenever it happens: which job comes by in the midst of it is up to chance. */
async function pointsEachTime(shop: Shop, tale: Tale): Promise<CrashPoint[]> {
  const told = () => pointsOf(shop.server, () => tale.tellAndCheck(shop));
  const first = await told();
  const again = new Set((await told()).map(nameOf));
  return first.filter((point) => again.has(nameOf(point)) && !tale.leavesOut?.(point));
}

type End =
  | { readonly outcome: 'healed' | 'missed'; readonly why?: undefined }
  | { readonly outcome: 'FAILED'; readonly why: string };

async function killAt(shop: Shop, tale: Tale, point: CrashPoint): Promise<End> {
  try {
    for (let tries = 0; tries < TRIES_TO_REACH; tries += 1) {
      // What a process asks once and then keeps is asked anew by a new one.
      if (tries > 0) await restart(shop);
      await arm(shop.server, { killAt: point });
      if (await withRevival(shop, () => tale.tellAndCheck(shop))) return { outcome: 'healed' };
    }
    return { outcome: 'missed' };
  } catch (error) {
    return { outcome: 'FAILED', why: error instanceof Error ? error.message : String(error) };
  }
}

async function restart({ server }: Shop): Promise<void> {
  await server.kill();
  await server.start();
}

/** Starts the server again when it dies. @returns whether it died. */
async function withRevival(shop: Shop, work: () => Promise<void>): Promise<boolean> {
  const over = new AbortController();
  let died = false;
  const revival = shop.server.program.ended().then(async () => {
    // Of a later tale.
    if (over.signal.aborted) return;
    died = true;
    await endClaims(shop);
    await shop.server.start();
    await hasten(shop, over.signal);
  });
  try {
    await work();
    // Until it has heard it, it may still die.
    if (!died) await arm(shop.server, {});
    return died;
  } finally {
    over.abort();
    if (died) await revival;
  }
}

function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}
