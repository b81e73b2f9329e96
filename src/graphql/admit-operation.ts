import {
  Kind,
  OperationTypeNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { isStaffOrBackend, type Caller } from '../access/caller.js';
import type { Turnstile } from '../limits/turnstile.js';
import type { RateLimitHeaders, RateLimits } from '../limits/rate-limits.js';
import type { Context } from './context.js';
import { tooComplex } from './document-size.js';
import { costOf, fragmentsOf, type Variables } from './operation-cost.js';
import { takingsOf } from './rate-limited-operations.js';

/** What one request may ask for: a page needs a handful, and each may be a statement or more. */
const MAX_ROOT_FIELDS = 20;

/** They are done one after the other, and each can move money. */
const MAX_MUTATIONS = 5;

const MAX_COST = 5_000;

/** Of backends and operators, who are known by name and read long lists: a page of 200 deliveries, with their tries. */
const MAX_COST_OF_STAFF = 50_000;

/** Of the holder of a customer's token: a subscription, with all of its orders and their payments. */
const MAX_COST_OF_CUSTOMER = 20_000;

/** An operation of a document that is valid. */
export interface Operation {
  readonly document: DocumentNode;
  readonly definition: OperationDefinitionNode;
  /** As they came. */
  readonly variables: Variables;
}

/**
 * Before anything of an operation is done. @returns what HTTP says of the limits that it is counted by.
 * @throws {GraphQLError} QUERY_TOO_COMPLEX @throws {LimitError} RATE_LIMITED
 */
export type AdmitOperation = (
  operation: Operation,
  context: Pick<Context, 'caller' | 'clientAddress'>,
) => Promise<RateLimitHeaders>;

export function admitOperations(
  schema: GraphQLSchema,
  limits: RateLimits,
  turnstile: Turnstile,
): AdmitOperation {
  return (operation, context) => {
    const { fields, cost } = requireAffordable(schema, operation, mostCostOf(context.caller));
    turnstile.charge(context.clientAddress, cost);
    return limits.take(takingsOf(fields, cost, context));
  };
}

function mostCostOf(caller: Caller): number {
  if (isStaffOrBackend(caller)) return MAX_COST_OF_STAFF;
  return caller.kind === 'customer' ? MAX_COST_OF_CUSTOMER : MAX_COST;
}

/**
 * How much one request may ask for. It looks at the variables, so it runs for each request, and not once for each
 * document as validation does.
 * @returns its fields, with those of fragments. @throws {GraphQLError} QUERY_TOO_COMPLEX
 */
function requireAffordable(
  schema: GraphQLSchema,
  { document, definition, variables }: Operation,
  mostCost: number,
): { readonly fields: readonly FieldNode[]; readonly cost: number } {
  const isMutation = definition.operation === OperationTypeNode.MUTATION;
  const most = isMutation ? MAX_MUTATIONS : MAX_ROOT_FIELDS;
  const fields = rootFields(definition.selectionSet, fragmentsOf(document), most);
  if (!fields) {
    throw tooComplex(
      isMutation
        ? `One request may have ${MAX_MUTATIONS} mutations. Send the others after it.`
        : `One request may have ${MAX_ROOT_FIELDS} fields of Query. Ask for less at once.`,
    );
  }
  const cost = costOf(schema, document, definition, variables);
  if (cost > mostCost) {
    throw tooComplex(`This query costs ${cost}, and ${mostCost} is allowed. Ask for less at once.`);
  }
  return { fields, cost };
}

/** @returns null when there are more than `most`. */
function rootFields(
  selections: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  most: number,
): FieldNode[] | null {
  const fields: FieldNode[] = [];
  // Fragments without any field are bounded as well: 2^n of them could be spread.
  let steps = 0;
  const collect = ({ selections }: SelectionSetNode): boolean =>
    selections.every((selection) => {
      steps += 1;
      if (steps > MAX_STEPS) return false;
      if (selection.kind === Kind.FIELD) return fields.push(selection) <= most;
      if (selection.kind === Kind.INLINE_FRAGMENT) return collect(selection.selectionSet);
      const fragment = fragments.get(selection.name.value);
      return !fragment || collect(fragment.selectionSet);
    });
  return collect(selections) ? fields : null;
}

const MAX_STEPS = 1_000;
