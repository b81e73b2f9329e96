import {
  Kind,
  type FragmentDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';
import { isIntrospection } from './introspection-limit.js';
import { tooComplex } from './document-size.js';

/** Our deepest sensible question (an order, its payments, their attempts) is 6 deep; double it, and one more. */
const MAX_DEPTH = 13;

/** More than any question needs; parsing stops there. */
export const MAX_TOKENS = 2_000;

/**
 * How deep a query may be, as a validation rule: both transports run it, and a document that is known already costs
 * nothing. What it costs depends on its variables: see `admit-operation.ts`.
 */
export const QUERY_LIMITS: readonly ValidationRule[] = [
  (context) => ({
    OperationDefinition({ selectionSet }) {
      const depth = depthOfSelections(selectionSet, { context, fragments: new Map() });
      if (depth <= MAX_DEPTH) return;
      context.reportError(tooComplex(`This query is ${depth} deep, and ${MAX_DEPTH} is allowed.`));
    },
  }),
];

interface Walk {
  readonly context: ValidationContext;
  /** Each fragment is measured once, however often it is spread: else a small query could keep us busy for ever. */
  readonly fragments: Map<FragmentDefinitionNode, number>;
}

function depthOfSelections({ selections }: SelectionSetNode, walk: Walk): number {
  return Math.max(0, ...selections.map((selection) => depthOfSelection(selection, walk)));
}

function depthOfSelection(selection: SelectionNode, walk: Walk): number {
  switch (selection.kind) {
    case Kind.FIELD:
      if (isIntrospection(selection)) return 0;
      return selection.selectionSet ? depthOfSelections(selection.selectionSet, walk) + 1 : 1;
    case Kind.INLINE_FRAGMENT:
      return depthOfSelections(selection.selectionSet, walk);
    case Kind.FRAGMENT_SPREAD: {
      const fragment = walk.context.getFragment(selection.name.value);
      // An unknown fragment is another rule's fault to report.
      return fragment ? depthOfFragment(fragment, walk) : 0;
    }
  }
}

function depthOfFragment(fragment: FragmentDefinitionNode, walk: Walk): number {
  const known = walk.fragments.get(fragment);
  if (known !== undefined) return known;
  // For a fragment inside itself, which is another rule's fault to report.
  walk.fragments.set(fragment, 0);
  const depth = depthOfSelections(fragment.selectionSet, walk);
  walk.fragments.set(fragment, depth);
  return depth;
}
