import { Arg, Ctx, ID, Int, Mutation, Query, Resolver } from 'type-graphql';
import type { EntityManager } from 'typeorm';
import { actorName, type Caller } from '../access/caller.js';
import { Job, JobStatus } from './job-types.js';
import { listJobs, retryJob } from './list-jobs.js';

interface JobContext {
  readonly caller: Caller;
  readonly manager: EntityManager;
}

const MOST = 200;

@Resolver()
export class JobResolver {
  @Query(() => [Job], { description: 'For operators: what is still to be done, the newest first.' })
  async jobs(
    @Arg('status', () => JobStatus, { nullable: true, description: 'Those that stand so; else all.' })
    status: JobStatus | undefined,
    @Arg('task', () => String, { nullable: true, description: 'Of this kind; else of all.' })
    task: string | undefined,
    @Arg('first', () => Int, { defaultValue: 50, description: `At most ${MOST}.` }) first: number,
    @Ctx() { manager }: JobContext,
  ): Promise<Job[]> {
    return listJobs(manager, { status, task, first: Math.min(Math.max(first, 1), MOST) });
  }

  @Mutation(() => Job, { description: 'For operators: tries a job anew that is failing or parked.' })
  async retryJob(
    @Arg('id', () => ID, { description: 'From jobs.' }) id: string,
    @Ctx() { caller, manager }: JobContext,
  ): Promise<Job> {
    return retryJob(manager, actorName(caller), id);
  }
}
