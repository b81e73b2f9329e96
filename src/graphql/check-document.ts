import {
  GraphQLError,
  NoSchemaIntrospectionCustomRule,
  parse,
  SingleFieldSubscriptionsRule,
  specifiedRules,
  validate,
  type DocumentNode,
  type GraphQLSchema,
} from 'graphql';
import { oversized } from './document-size.js';
import { INTROSPECTION_LIMIT } from './introspection-limit.js';
import { MAX_TOKENS, QUERY_LIMITS } from './query-limits.js';
import { SUBSCRIPTION_RULE } from './subscription-rule.js';

/** Checked documents are remembered, for every watcher of a shop sends the same one. */
const MAX_REMEMBERED_DOCUMENTS = 500;

/** Parses and validates a query. @returns what is wrong with it, where something is. */
export type CheckDocument = (query: string) => DocumentNode | readonly GraphQLError[];

/** By the same rules and limits as HTTP; what was found good is remembered. */
export function documentChecker(schema: GraphQLSchema, introspection: boolean): CheckDocument {
  const rules = [
    ...specifiedRules.filter((rule) => rule !== SingleFieldSubscriptionsRule),
    SUBSCRIPTION_RULE,
    ...QUERY_LIMITS,
    INTROSPECTION_LIMIT,
  ];
  if (!introspection) rules.push(NoSchemaIntrospectionCustomRule);
  const remembered = new Map<string, DocumentNode>();
  return (query) => {
    const known = remembered.get(query);
    if (known) return known;
    let document: DocumentNode;
    try {
      document = parse(query, { maxTokens: MAX_TOKENS });
    } catch (error) {
      if (error instanceof GraphQLError) return [parseFailed(error)];
      throw error;
    }
    const tooLarge = oversized(document);
    if (tooLarge) return [tooLarge];
    const faults = validate(schema, document, rules, { hideSuggestions: !introspection });
    if (faults.length > 0) return faults;
    if (remembered.size >= MAX_REMEMBERED_DOCUMENTS) remembered.clear();
    remembered.set(query, document);
    return document;
  };
}

function parseFailed(error: GraphQLError): GraphQLError {
  return new GraphQLError(error.message, {
    source: error.source,
    positions: error.positions,
    extensions: { code: 'GRAPHQL_PARSE_FAILED' },
  });
}
