import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { GraphQLDateTimeISO } from 'graphql-scalars';

export const JobStatus = {
  WAITING: 'WAITING',
  RUNNING: 'RUNNING',
  FAILING: 'FAILING',
  PARKED: 'PARKED',
} as const;
export type JobStatus = keyof typeof JobStatus;
registerEnumType(JobStatus, {
  name: 'JobStatus',
  description: 'Where a job stands. One that is done is gone.',
  valuesConfig: {
    WAITING: { description: 'It has not been tried yet.' },
    RUNNING: {
      description: 'It is being tried; or the process that did was killed, and it is freed in time.',
    },
    FAILING: { description: 'It has failed, and is tried again.' },
    PARKED: { description: 'It has failed for the last time; a person has to look, and may try it again.' },
  },
});

@ObjectType({ description: 'Something that is to be done after a change was committed: a mail, a webhook.' })
export class Job {
  @Field(() => ID, { description: 'Give it to retryJob.' })
  id: string;

  @Field(() => String, { description: 'What is to be done: `send_email` …' })
  task: string;

  @Field(() => JobStatus, { description: 'Where it stands.' })
  status: JobStatus;

  @Field(() => Int, { description: 'How often it was tried.' })
  tries: number;

  @Field(() => Int, { description: 'How often it is tried before it is parked.' })
  maxTries: number;

  @Field(() => String, { nullable: true, description: 'What went wrong last.' })
  lastError: string | null;

  @Field(() => GraphQLDateTimeISO, { description: 'When it is, or was, to be tried next.' })
  runAt: Date;

  @Field(() => GraphQLDateTimeISO, { description: 'When it was added.' })
  createdAt: Date;
}
