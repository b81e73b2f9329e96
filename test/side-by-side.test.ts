import { setTimeout as sleep } from 'node:timers/promises';
import { sideBySide } from '../src/jobs/side-by-side.js';

const ITEMS = [1, 2, 3, 4, 5, 6, 7];

test('work for many items is done for each, in their order, and never for more at once than may be', async () => {
  const begun: number[] = [];
  let atOnce = 0;
  let mostAtOnce = 0;
  await sideBySide(3, ITEMS, async (item) => {
    begun.push(item);
    mostAtOnce = Math.max(mostAtOnce, ++atOnce);
    await sleep(5);
    atOnce -= 1;
  });
  expect({ begun, mostAtOnce, atOnce }).toEqual({ begun: ITEMS, mostAtOnce: 3, atOnce: 0 });
});

test('work that fails for an item is told of, and keeps no other item from its turn', async () => {
  const begun: number[] = [];
  const work = sideBySide(2, ITEMS, (item) => {
    begun.push(item);
    return item < 4 ? Promise.reject(new Error(`not ${item}`)) : Promise.resolve();
  });
  await expect(work).rejects.toThrow('not 1');
  await sleep(5);
  expect(begun).toEqual(ITEMS);
});
