import { filter, pipe } from '@graphql-yoga/subscription';
import { Ctx, Query, Resolver, Root, Subscription } from 'type-graphql';
import { requireStillValid } from '../access/authenticate.js';
import type { HealthContext as Context } from './health-context.js';
import { ProviderHealth } from './provider-health-types.js';
import { watchHealth } from './watch-health.js';

@Resolver()
export class ProviderHealthResolver {
  @Query(() => [ProviderHealth], { description: 'For operators: how each provider is doing.' })
  providerHealth(@Ctx() { health }: Context): readonly ProviderHealth[] {
    return health.all();
  }

  @Subscription(() => ProviderHealth, {
    description:
      'For operators: how each provider is doing, one after the other, and then each change of a status, a circuit or an operator.',
    subscribe: ({ context }: { context: Context }) => watch(context),
  })
  providerHealthChanged(@Root() health: ProviderHealth): ProviderHealth {
    return health;
  }
}

function watch({ authentication, caller, health }: Context) {
  return pipe(
    watchHealth(health),
    filter(async () => {
      await requireStillValid(authentication, caller);
      return true;
    }),
  );
}
