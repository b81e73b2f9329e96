import type { ObjectLiteral, SelectQueryBuilder } from 'typeorm';
import { isUuid } from '../database/uuid.js';
import type { Page, PageArgs } from './page-types.js';
import { PagingError } from './paging-error.js';

type Column<Node> = keyof Node & string;

/** How a list is cut into pages. */
export interface Order<Node> {
  /** A time: the newest first, and of the same time the greatest `id`. */
  readonly by: Column<Node>;
  /** Unique, and shown to the caller. */
  readonly cursor: Column<Node>;
}

/**
 * A page of what the query finds. A cursor names the last one that was shown, and the database knows when that was; it
 * may have been deleted since, because of its age.
 * @throws {PagingError} CURSOR_UNKNOWN
 */
export async function readPage<Node extends ObjectLiteral>(
  query: SelectQueryBuilder<Node>,
  { by, cursor }: Order<Node>,
  { first, after }: Pick<PageArgs, 'first' | 'after'>,
): Promise<Page<Node>> {
  query
    .orderBy(`${query.alias}.${by}`, 'DESC')
    .addOrderBy(`${query.alias}.id`, 'DESC')
    // One more than is shown tells whether there is a next page.
    .limit(first + 1);
  if (after) await beginAfter(query, { by, cursor }, after);
  const found = await query.getMany();
  const edges = found.slice(0, first).map((node) => ({ cursor: node[cursor], node }));
  return {
    edges,
    pageInfo: { hasNextPage: found.length > first, endCursor: edges.at(-1)?.cursor ?? null },
  };
}

/** Adds the condition of each member of the filter that is given, with the member as its parameter. */
export function narrow<Node extends ObjectLiteral, Filter extends object>(
  query: SelectQueryBuilder<Node>,
  conditions: Readonly<Record<keyof Filter & string, string>>,
  filter: Filter | null | undefined,
): void {
  for (const [name, condition] of Object.entries<string>(conditions)) {
    const value = filter?.[name as keyof Filter];
    if (value !== undefined && value !== null) query.andWhere(condition, { [name]: value });
  }
}

async function beginAfter<Node extends ObjectLiteral>(
  query: SelectQueryBuilder<Node>,
  { by, cursor }: Order<Node>,
  after: string,
): Promise<void> {
  const { alias, connection, expressionMap } = query;
  const { metadata } = expressionMap.mainAlias!;
  const nameOf = (property: string) => metadata.findColumnWithPropertyName(property)!.databaseName;
  const isCursor = metadata.findColumnWithPropertyName(cursor)!.type !== 'uuid' || isUuid(after);
  const isKnown =
    isCursor && (await connection.manager.existsBy<ObjectLiteral>(metadata.target, { [cursor]: after }));
  if (!isKnown) {
    throw new PagingError('CURSOR_UNKNOWN', 'There is no such cursor. Begin again without one.');
  }
  // Two values, not one row: only so can the comparison go by an index.
  const last = (column: string) =>
    `(SELECT ${column} FROM ${metadata.tableName} WHERE ${nameOf(cursor)} = :after)`;
  query.andWhere(`(${alias}.${by}, ${alias}.id) < (${last(nameOf(by))}, ${last('id')})`, { after });
}
