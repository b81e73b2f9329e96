import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import { actorName } from '../../access/caller.js';
import { createEndpoint, deleteEndpoint, rotateSecret, updateEndpoint } from './change-endpoint.js';
import { listEndpoints } from './find-endpoint.js';
import { findDelivery, listDeliveries } from './list-deliveries.js';
import type { MerchantWebhookContext as Context } from './merchant-webhook-context.js';
import {
  CreateWebhookEndpointInput,
  ReplayWebhookDeliveriesInput,
  RotateWebhookEndpointSecretInput,
  UpdateWebhookEndpointInput,
  WebhookDeliveriesArgs,
  WebhookDeliveriesReplay,
  WebhookDeliveryConnection,
  WebhookEndpointSecret,
} from './merchant-webhook-types.js';
import { replayDeliveries, replayDelivery, sendTest } from './send-again.js';
import { WebhookDeliveryTry } from './webhook-delivery-try.js';
import { WebhookDelivery } from './webhook-delivery.js';
import { WebhookEndpoint } from './webhook-endpoint.js';

@Resolver(() => WebhookDelivery)
export class MerchantWebhookResolver {
  @Query(() => [WebhookEndpoint], {
    description: 'For backends and operators: where webhooks to the merchant go.',
  })
  async webhookEndpoints(@Ctx() { manager }: Context): Promise<WebhookEndpoint[]> {
    return listEndpoints(manager);
  }

  @Query(() => WebhookDeliveryConnection, {
    description: 'For backends and operators: webhooks to the merchant, the newest first.',
  })
  async webhookDeliveries(
    @Args(() => WebhookDeliveriesArgs) wanted: WebhookDeliveriesArgs,
    @Ctx() { manager }: Context,
  ): Promise<WebhookDeliveryConnection> {
    return listDeliveries(manager, wanted);
  }

  @Query(() => WebhookDelivery, {
    nullable: true,
    description: 'For backends and operators: a webhook to the merchant; null when there is none.',
  })
  async webhookDelivery(
    @Arg('id', () => ID, { description: 'Its `webhook-id` header, `msg_…`.' }) id: string,
    @Ctx() { manager }: Context,
  ): Promise<WebhookDelivery | null> {
    return findDelivery(manager, id);
  }

  @FieldResolver(() => [WebhookDeliveryTry], { description: 'Each try, the earliest first.' })
  tries(@Root() { history }: WebhookDelivery): WebhookDeliveryTry[] {
    return history ?? [];
  }

  @Mutation(() => WebhookEndpointSecret, {
    description:
      'For backends and operators: registers where webhooks go, and shows their secret, this once.',
  })
  async createWebhookEndpoint(
    @Arg('input', () => CreateWebhookEndpointInput) input: CreateWebhookEndpointInput,
    @Ctx() { caller, manager, merchantWebhooks }: Context,
  ): Promise<WebhookEndpointSecret> {
    return createEndpoint(manager, merchantWebhooks, actorName(caller), input);
  }

  @Mutation(() => WebhookEndpoint, {
    description: 'For backends and operators: changes an endpoint, or disables or enables it.',
  })
  async updateWebhookEndpoint(
    @Arg('input', () => UpdateWebhookEndpointInput) input: UpdateWebhookEndpointInput,
    @Ctx() { caller, manager, merchantWebhooks }: Context,
  ): Promise<WebhookEndpoint> {
    return updateEndpoint(manager, merchantWebhooks, actorName(caller), input);
  }

  @Mutation(() => ID, {
    description: 'For backends and operators: deletes an endpoint, with its deliveries. Answers its id.',
  })
  async deleteWebhookEndpoint(
    @Arg('id', () => ID, { description: 'Of the endpoint.' }) id: string,
    @Ctx() { caller, manager }: Context,
  ): Promise<string> {
    return deleteEndpoint(manager, actorName(caller), id);
  }

  @Mutation(() => WebhookEndpointSecret, {
    description: 'For backends and operators: gives an endpoint a new secret, and shows it, this once.',
  })
  async rotateWebhookEndpointSecret(
    @Arg('input', () => RotateWebhookEndpointSecretInput) input: RotateWebhookEndpointSecretInput,
    @Ctx() { caller, manager, merchantWebhooks }: Context,
  ): Promise<WebhookEndpointSecret> {
    return rotateSecret(manager, merchantWebhooks, actorName(caller), input);
  }

  @Mutation(() => WebhookDelivery, {
    description:
      'For backends and operators: sends a `webhook.test`. Read what came of it in webhookDelivery.',
  })
  async sendTestWebhook(
    @Arg('endpointId', () => ID, { description: 'To which endpoint.' }) endpointId: string,
    @Ctx() { caller, manager, merchantWebhooks }: Context,
  ): Promise<WebhookDelivery> {
    return sendTest(manager, merchantWebhooks, actorName(caller), endpointId);
  }

  @Mutation(() => WebhookDelivery, {
    description:
      'For backends and operators: sends a webhook again, with the same id and body and a new time, whatever became of it.',
  })
  async replayWebhookDelivery(
    @Arg('id', () => ID, { description: 'Its `webhook-id` header, `msg_…`.' }) id: string,
    @Ctx() { caller, manager, merchantWebhooks }: Context,
  ): Promise<WebhookDelivery> {
    return replayDelivery(manager, merchantWebhooks, actorName(caller), id);
  }

  @Mutation(() => WebhookDeliveriesReplay, {
    description:
      'For backends and operators: sends again what an endpoint was sent, or missed, in a range of time.',
  })
  async replayWebhookDeliveries(
    @Arg('input', () => ReplayWebhookDeliveriesInput) input: ReplayWebhookDeliveriesInput,
    @Ctx() { caller, manager, merchantWebhooks }: Context,
  ): Promise<WebhookDeliveriesReplay> {
    return { count: await replayDeliveries(manager, merchantWebhooks, actorName(caller), input) };
  }
}
