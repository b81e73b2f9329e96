import {
  GraphQLError,
  Kind,
  type FieldNode,
  type FragmentDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';

/** The two root fields by which the schema is read. Theirs is a limit of its own, so `QUERY_LIMITS` leaves them out. */
const INTROSPECTION_FIELDS: ReadonlySet<string> = new Set(['__schema', '__type']);

export function isIntrospection({ name }: FieldNode): boolean {
  return INTROSPECTION_FIELDS.has(name.value);
}

/**
 * graphql-js's own query, with all of its options, costs 52,000 by this count, and 10 ms to answer; twice as deep as
 * tools ask, 101,000.
 */
const MAX_COST = 150_000;

/** As `__Type` and the others have them. A list is counted as so long, which is more than most of ours are. */
const LISTS: ReadonlySet<string> = new Set([
  'types',
  'directives',
  'fields',
  'inputFields',
  'args',
  'enumValues',
  'interfaces',
  'possibleTypes',
  'locations',
]);
const ASSUMED_LIST_LENGTH = 10;

/**
 * How much of the schema may be read at once. How deep is graphql-js's own rule: no list of fields, interfaces or
 * possible types within more than two others. So what a tool asks passes, and the same asked a hundred times doesn't.
 */
export const INTROSPECTION_LIMIT: ValidationRule = (context) => ({
  OperationDefinition(operation) {
    const walk: Walk = { context, fragments: new Map() };
    const cost = costOf(operation.selectionSet, walk, false);
    if (cost <= MAX_COST) return;
    context.reportError(
      new GraphQLError('This query reads the schema too often at once. Ask for it once.', {
        extensions: { code: 'QUERY_TOO_COMPLEX' },
      }),
    );
  },
});

interface Walk {
  readonly context: ValidationContext;
  /** Each is measured once, however often it is spread. By whether it is within an introspection field. */
  readonly fragments: Map<FragmentDefinitionNode, number>;
}

/** @param isInside whether this is within `__schema` or `__type`: only there anything is counted. */
function costOf({ selections }: SelectionSetNode, walk: Walk, isInside: boolean): number {
  return selections.reduce((sum, selection) => sum + costOfSelection(selection, walk, isInside), 0);
}

function costOfSelection(selection: SelectionNode, walk: Walk, isInside: boolean): number {
  switch (selection.kind) {
    case Kind.FIELD: {
      const inside = isInside || isIntrospection(selection);
      const own = inside ? 1 : 0;
      if (!selection.selectionSet || !inside) return own;
      const members = LISTS.has(selection.name.value) ? ASSUMED_LIST_LENGTH : 1;
      return own + members * costOf(selection.selectionSet, walk, inside);
    }
    case Kind.INLINE_FRAGMENT:
      return costOf(selection.selectionSet, walk, isInside);
    case Kind.FRAGMENT_SPREAD: {
      const fragment = walk.context.getFragment(selection.name.value);
      return fragment ? costOfFragment(fragment, walk, isInside) : 0;
    }
  }
}

function costOfFragment(fragment: FragmentDefinitionNode, walk: Walk, isInside: boolean): number {
  const known = walk.fragments.get(fragment);
  if (known !== undefined) return known;
  // For a fragment inside itself, which is another rule's fault to report.
  walk.fragments.set(fragment, 0);
  const cost = costOf(fragment.selectionSet, walk, isInside);
  walk.fragments.set(fragment, cost);
  return cost;
}
