import type { Logger } from 'pino';
import type { ProvidersHealth } from './health.js';
import type { Provider } from './provider.js';

/** Asks every provider that says so how its operators are doing. Of one that doesn't answer, what was last known stays. */
export async function watchAvailability(
  providers: Iterable<Provider>,
  health: ProvidersHealth,
  log: Pick<Logger, 'warn'>,
): Promise<void> {
  await Promise.all(
    [...providers].map(async (provider) => {
      if (!provider.readAvailability) return;
      try {
        health.setOperators(provider.name, await provider.readAvailability());
      } catch (error) {
        log.warn(
          { err: error, provider: provider.name },
          'a provider did not say how its operators are doing',
        );
      }
    }),
  );
}
