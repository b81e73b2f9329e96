import { ArgsType, Field, Int, ObjectType } from 'type-graphql';
import { Max, Min } from 'class-validator';

const DEFAULT_PAGE = 50;
const LARGEST_PAGE = 200;

/** Which page of a list. */
@ArgsType()
export abstract class PageArgs {
  @Field(() => Int, { defaultValue: DEFAULT_PAGE, description: `How many, at most ${LARGEST_PAGE}.` })
  @Min(1)
  @Max(LARGEST_PAGE)
  first: number;

  @Field(() => String, { nullable: true, description: 'The cursor after which to go on.' })
  after?: string | null;
}

@ObjectType({ description: 'Where a page of a list ends.' })
export class PageInfo {
  @Field(() => Boolean, { description: 'Whether there is more after it.' })
  hasNextPage: boolean;

  @Field(() => String, {
    nullable: true,
    description: 'The last cursor: give it to `after` for the next page.',
  })
  endCursor: string | null;
}

/** A page, as the connections of the API show it. */
export interface Page<Node> {
  readonly edges: { readonly cursor: string; readonly node: Node }[];
  readonly pageInfo: PageInfo;
}
