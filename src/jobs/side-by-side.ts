import { bulkhead } from 'cockatiel';

/** Does the work for each item, in their order, for at most so many at once. @throws what the first one that fails throws. */
export async function sideBySide<Item>(
  most: number,
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const turns = bulkhead(most, Infinity);
  await Promise.all(items.map((item) => turns.execute(() => work(item))));
}
