import { Args, Ctx, Query, Resolver } from 'type-graphql';
import type { PaymentContext as Context } from '../payments/payment-context.js';
import { listProviderCalls } from './list-provider-calls.js';
import { ProviderCallConnection, ProviderCallsArgs } from './provider-call-types.js';

@Resolver()
export class ProviderLogResolver {
  @Query(() => ProviderCallConnection, {
    description:
      'For operators: what providers were asked and what they answered, without what is secret or personal, the newest first.',
  })
  async providerCalls(
    @Args(() => ProviderCallsArgs) wanted: ProviderCallsArgs,
    @Ctx() { manager }: Context,
  ): Promise<ProviderCallConnection> {
    return listProviderCalls(manager, wanted);
  }
}
