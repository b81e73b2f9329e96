import {
  GraphQLError,
  Kind,
  type FragmentDefinitionNode,
  type SelectionSetNode,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';
import { createComplexityRule, simpleEstimator, type ComplexityEstimator } from 'graphql-query-complexity';

/** Our deepest sensible question (an order, its payments, their attempts) is 6 deep; introspection needs 13. */
const MAX_DEPTH = 13;

/** Fields, with those of a list counted for each of its members. The schema's introspection query costs under 1,000. */
const MAX_COST = 2_000;

/** A list without a page size is counted as so many. */
const ASSUMED_LIST_LENGTH = 10;

/** More than any question needs; parsing stops there. */
export const MAX_TOKENS = 2_000;

const listEstimator: ComplexityEstimator = ({ field, args, childComplexity }) => {
  if (!field.type.toString().includes('[')) return undefined;
  const { first } = args as { first?: unknown };
  return 1 + (typeof first === 'number' ? first : ASSUMED_LIST_LENGTH) * childComplexity;
};

/**
 * Limits on a query itself, as validation rules: both transports run them, and a document that is known already costs
 * nothing. They don't look at variables, so that no value of a variable can make a checked document dearer than allowed.
 */
export const QUERY_LIMITS: readonly ValidationRule[] = [
  depthRule,
  createComplexityRule({
    maximumComplexity: MAX_COST,
    estimators: [listEstimator, simpleEstimator({ defaultComplexity: 1 })],
    createError: (maximum, actual) =>
      tooComplex(`This query costs ${actual}, and ${maximum} is allowed. Ask for less at once.`),
  }) as unknown as ValidationRule,
];

function depthRule(context: ValidationContext) {
  return {
    OperationDefinition(operation: { selectionSet: SelectionSetNode }) {
      const depth = depthOf(operation.selectionSet, context, new Map());
      if (depth <= MAX_DEPTH) return;
      context.reportError(tooComplex(`This query is ${depth} deep, and ${MAX_DEPTH} is allowed.`));
    },
  };
}

function depthOf(
  selectionSet: SelectionSetNode,
  context: ValidationContext,
  known: Map<FragmentDefinitionNode, number>,
): number {
  const depths = selectionSet.selections.map((selection) => {
    if (selection.kind === Kind.FIELD) {
      return 1 + (selection.selectionSet ? depthOf(selection.selectionSet, context, known) : 0);
    }
    if (selection.kind === Kind.INLINE_FRAGMENT) return depthOf(selection.selectionSet, context, known);
    const fragment = context.getFragment(selection.name.value);
    return fragment ? depthOfFragment(fragment, context, known) : 0;
  });
  return Math.max(0, ...depths);
}

/** Each fragment is looked at once, however often it is spread: else a small query could keep us busy for ever. */
function depthOfFragment(
  fragment: FragmentDefinitionNode,
  context: ValidationContext,
  known: Map<FragmentDefinitionNode, number>,
): number {
  const depth = known.get(fragment);
  if (depth !== undefined) return depth;
  // For a fragment inside itself, which is another rule's fault to report.
  known.set(fragment, 0);
  const measured = depthOf(fragment.selectionSet, context, known);
  known.set(fragment, measured);
  return measured;
}

function tooComplex(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'QUERY_TOO_COMPLEX' } });
}
