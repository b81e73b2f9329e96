import { Repeater, SlidingBuffer } from '@graphql-yoga/subscription';
import type { ProviderHealth, ProvidersHealth } from '../providers/health.js';

/** For a watcher slower than this the oldest are left out: each tells the whole state of its provider. */
const REMEMBERED_CHANGES = 200;

/** How all providers are doing now, one after the other, and then each change. */
export function watchHealth(health: ProvidersHealth): Repeater<ProviderHealth> {
  return new Repeater(async (push, stop) => {
    const tell = (state: ProviderHealth) => void push(state);
    health.all().forEach(tell);
    const unsubscribe = health.onChange(tell);
    await stop;
    unsubscribe();
  }, new SlidingBuffer(REMEMBERED_CHANGES));
}
