import {
  getNamedType,
  getNullableType,
  GraphQLError,
  isCompositeType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  typeFromAST,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLOutputType,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';
import { isIntrospection } from './introspection-limit.js';

/** Our deepest sensible question (an order, its payments, their attempts) is 6 deep; double it, and one more. */
const MAX_DEPTH = 13;

/** Fields, those of a list counted for each of its members. */
const MAX_COST = 5_000;

/** A list is counted as so long, whatever page size a variable may ask for. */
const ASSUMED_LIST_LENGTH = 10;

/** More than any question needs; parsing stops there. */
export const MAX_TOKENS = 2_000;

/**
 * How deep and how dear a query may be, as a validation rule: both transports run it, and a document that is known
 * already costs nothing. It doesn't look at variables, so that no value of one makes a checked document dearer. That is
 * why it is ours: graphql-query-complexity wants the variables, so it would have to run again for every request.
 */
export const QUERY_LIMITS: readonly ValidationRule[] = [
  (context) => ({
    OperationDefinition(operation) {
      const { depth, cost } = measureOperation(operation, context);
      if (depth > MAX_DEPTH) {
        context.reportError(tooComplex(`This query is ${depth} deep, and ${MAX_DEPTH} is allowed.`));
      }
      if (cost > MAX_COST) {
        context.reportError(
          tooComplex(`This query costs ${cost}, and ${MAX_COST} is allowed. Ask for less at once.`),
        );
      }
    },
  }),
];

interface Measure {
  readonly depth: number;
  readonly cost: number;
}

type Maybe<T> = T | null | undefined;

const NOTHING: Measure = { depth: 0, cost: 0 };

interface Walk {
  readonly context: ValidationContext;
  /** Each fragment is measured once, however often it is spread: else a small query could keep us busy for ever. */
  readonly fragments: Map<FragmentDefinitionNode, Measure>;
}

function measureOperation(operation: OperationDefinitionNode, context: ValidationContext): Measure {
  const root = context.getSchema().getRootType(operation.operation);
  return measureSelections(operation.selectionSet, root, { context, fragments: new Map() });
}

function measureSelections(
  { selections }: SelectionSetNode,
  parent: Maybe<GraphQLCompositeType>,
  walk: Walk,
): Measure {
  let depth = 0;
  let cost = 0;
  for (const selection of selections) {
    const measure = measureSelection(selection, parent, walk);
    depth = Math.max(depth, measure.depth);
    cost += measure.cost;
  }
  return { depth, cost };
}

function measureSelection(
  selection: SelectionNode,
  parent: Maybe<GraphQLCompositeType>,
  walk: Walk,
): Measure {
  switch (selection.kind) {
    case Kind.FIELD:
      return measureField(selection, parent, walk);
    case Kind.INLINE_FRAGMENT:
      return measureSelections(
        selection.selectionSet,
        selection.typeCondition ? compositeType(walk, selection.typeCondition) : parent,
        walk,
      );
    case Kind.FRAGMENT_SPREAD: {
      const fragment = walk.context.getFragment(selection.name.value);
      // An unknown fragment is another rule's fault to report.
      return fragment ? measureFragment(fragment, walk) : NOTHING;
    }
  }
}

function measureField(field: FieldNode, parent: Maybe<GraphQLCompositeType>, walk: Walk): Measure {
  if (isIntrospection(field)) return NOTHING;
  const type = typeOfField(field, parent);
  if (!field.selectionSet) return { depth: 1, cost: 1 };
  const named = type ? getNamedType(type) : undefined;
  const inside = measureSelections(field.selectionSet, isCompositeType(named) ? named : undefined, walk);
  const members = type && isListType(getNullableType(type)) ? ASSUMED_LIST_LENGTH : 1;
  return { depth: inside.depth + 1, cost: 1 + members * inside.cost };
}

function typeOfField(field: FieldNode, parent: Maybe<GraphQLCompositeType>): GraphQLOutputType | undefined {
  if (!isObjectType(parent) && !isInterfaceType(parent)) return undefined;
  return parent.getFields()[field.name.value]?.type;
}

function measureFragment(fragment: FragmentDefinitionNode, walk: Walk): Measure {
  const known = walk.fragments.get(fragment);
  if (known) return known;
  // For a fragment inside itself, which is another rule's fault to report.
  walk.fragments.set(fragment, NOTHING);
  const measure = measureSelections(fragment.selectionSet, compositeType(walk, fragment.typeCondition), walk);
  walk.fragments.set(fragment, measure);
  return measure;
}

function compositeType(
  { context }: Walk,
  node: Parameters<typeof typeFromAST>[1],
): Maybe<GraphQLCompositeType> {
  const type = typeFromAST(context.getSchema(), node as never) as unknown;
  return isCompositeType(type) ? type : undefined;
}

function tooComplex(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'QUERY_TOO_COMPLEX' } });
}
