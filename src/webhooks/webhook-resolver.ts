import { Arg, Args, Ctx, ID, Mutation, Query, Resolver } from 'type-graphql';
import { actorName } from '../access/caller.js';
import type { PaymentContext as Context } from '../payments/payment-context.js';
import { listWebhookEvents } from './list-webhook-events.js';
import { replayWebhookEvent } from './replay-webhook-event.js';
import { WebhookEventConnection, WebhookEventsArgs, WebhookReplay } from './webhook-types.js';

@Resolver()
export class WebhookResolver {
  @Query(() => WebhookEventConnection, {
    description: 'For backends and operators: what providers have told, the newest first.',
  })
  async webhookEvents(
    @Args(() => WebhookEventsArgs) wanted: WebhookEventsArgs,
    @Ctx() { manager }: Context,
  ): Promise<WebhookEventConnection> {
    return listWebhookEvents(manager, wanted);
  }

  @Mutation(() => WebhookReplay, {
    description:
      'For backends and operators: applies a kept notification again. It is safe to: no money is counted twice.',
  })
  async replayWebhookEvent(
    @Arg('id', () => ID, { description: 'Of the notification, from webhookEvents.' }) id: string,
    @Arg('dryRun', () => Boolean, {
      defaultValue: false,
      description: 'Says what would change, and changes nothing.',
    })
    dryRun: boolean,
    @Ctx() { caller, manager, payments }: Context,
  ): Promise<WebhookReplay> {
    return replayWebhookEvent(manager, { ...payments, actor: actorName(caller) }, id, dryRun);
  }
}
