import {
  GraphQLError,
  Kind,
  OperationTypeNode,
  SingleFieldSubscriptionsRule,
  type DirectiveNode,
  type FragmentDefinitionNode,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';

/**
 * GraphQL's own rule of subscriptions (one field, and no `__typename`), and before it the specification's newer one:
 * `@skip` and `@include` don't stand on that field, for a subscription of nothing can't be made. graphql-js 16 doesn't
 * know the newer one: it throws in the middle of validating, and in the middle of subscribing.
 */
export const SUBSCRIPTION_RULE: ValidationRule = (context) => {
  const { OperationDefinition: checkSingleField } = SingleFieldSubscriptionsRule(context) as {
    OperationDefinition: (operation: OperationDefinitionNode) => void;
  };
  return {
    OperationDefinition(operation) {
      if (operation.operation !== OperationTypeNode.SUBSCRIPTION) return;
      const condition = findCondition(context, operation.selectionSet, new Set());
      if (condition) context.reportError(refused(condition));
      else checkSingleField(operation);
    },
  };
};

/** The first condition on what is subscribed to, also within fragments. */
function findCondition(
  context: ValidationContext,
  { selections }: SelectionSetNode,
  visited: Set<FragmentDefinitionNode>,
): DirectiveNode | undefined {
  for (const selection of selections) {
    const own = selection.directives?.find(({ name }) => name.value === 'skip' || name.value === 'include');
    if (own) return own;
    const inside = selectionSetIn(context, selection, visited);
    const condition = inside && findCondition(context, inside, visited);
    if (condition) return condition;
  }
  return undefined;
}

/** What a fragment selects at the root. Undefined for a field, and for a fragment that was looked into already. */
function selectionSetIn(
  context: ValidationContext,
  selection: SelectionSetNode['selections'][number],
  visited: Set<FragmentDefinitionNode>,
): SelectionSetNode | undefined {
  if (selection.kind === Kind.FIELD) return undefined;
  if (selection.kind === Kind.INLINE_FRAGMENT) return selection.selectionSet;
  const fragment = context.getFragment(selection.name.value);
  if (!fragment || visited.has(fragment)) return undefined;
  visited.add(fragment);
  return fragment.selectionSet;
}

function refused(condition: DirectiveNode): GraphQLError {
  return new GraphQLError(
    `@${condition.name.value} can’t stand on what a subscription subscribes to. Don’t send the subscription while it isn’t wanted.`,
    { nodes: condition },
  );
}
