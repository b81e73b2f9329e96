import type { EntityManager } from 'typeorm';
import { Arg, Args, Ctx, ID, Mutation, Query, Resolver } from 'type-graphql';
import { actorName, type Caller } from '../../access/caller.js';
import { EmailMessage } from './email-message.js';
import { EmailMessageConnection, EmailMessagesArgs } from './email-types.js';
import { listEmails } from './list-emails.js';
import { resendEmail } from './resend-email.js';

interface Context {
  readonly caller: Caller;
  readonly manager: EntityManager;
}

@Resolver()
export class EmailResolver {
  @Query(() => EmailMessageConnection, {
    description: 'For backends and operators: e-mails to customers and to the merchant, the newest first.',
  })
  async emailMessages(
    @Args(() => EmailMessagesArgs) wanted: EmailMessagesArgs,
    @Ctx() { manager }: Context,
  ): Promise<EmailMessageConnection> {
    return listEmails(manager, wanted);
  }

  @Mutation(() => EmailMessage, {
    description:
      'For backends and operators: sends an e-mail again, whatever became of it. One that waits is tried at once.',
  })
  async resendEmail(
    @Arg('id', () => ID, { description: 'Of the e-mail, from emailMessages.' }) id: string,
    @Ctx() { caller, manager }: Context,
  ): Promise<EmailMessage> {
    return resendEmail(manager, actorName(caller), id);
  }
}
