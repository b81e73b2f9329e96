import {
  getNamedType,
  getNullableType,
  isCompositeType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  valueFromASTUntyped,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { isIntrospection } from './introspection-limit.js';
import { listSizeOf, pageSize, type FieldArguments } from './list-sizes.js';

/** An object is read from the database, a value stands in it. */
const COST_OF_OBJECT = 5;
const COST_OF_VALUE = 1;

/** What an operation is asked with, as it came: not checked yet. */
export type Variables = Readonly<Record<string, unknown>>;

interface Walk {
  readonly schema: GraphQLSchema;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly variables: Variables;
  /** By fragment and page size. Each is priced once: else a small query could keep us busy for ever. */
  readonly priced: Map<string, number>;
}

type Maybe<T> = T | null | undefined;

/** What an operation of a valid document can cost at most, with these variables: days × products, lists by their sizes. */
export function costOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Variables,
): number {
  const walk: Walk = {
    schema,
    fragments: fragmentsOf(document),
    variables: { ...defaultsOf(operation), ...variables },
    priced: new Map(),
  };
  return costOfSelections(operation.selectionSet, schema.getRootType(operation.operation), null, walk);
}

export function fragmentsOf({ definitions }: DocumentNode): ReadonlyMap<string, FragmentDefinitionNode> {
  return new Map(
    definitions
      .filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION)
      .map((fragment) => [fragment.name.value, fragment]),
  );
}

function defaultsOf({ variableDefinitions = [] }: OperationDefinitionNode): Variables {
  return Object.fromEntries(
    variableDefinitions.flatMap(({ variable, defaultValue }) =>
      defaultValue ? [[variable.name.value, valueFromASTUntyped(defaultValue)]] : [],
    ),
  );
}

/** @param page how many members the lists of a connection have; null outside of one. */
function costOfSelections(
  { selections }: SelectionSetNode,
  parent: Maybe<GraphQLCompositeType>,
  page: number | null,
  walk: Walk,
): number {
  let cost = 0;
  for (const selection of selections) {
    if (selection.kind === Kind.FIELD) cost += costOfField(selection, parent, page, walk);
    else if (selection.kind === Kind.FRAGMENT_SPREAD) {
      cost += costOfFragment(selection.name.value, page, walk);
    } else {
      const { typeCondition, selectionSet } = selection;
      const type = typeCondition ? compositeType(walk, typeCondition.name.value) : parent;
      cost += costOfSelections(selectionSet, type, page, walk);
    }
  }
  return cost;
}

function costOfField(
  node: FieldNode,
  parent: Maybe<GraphQLCompositeType>,
  page: number | null,
  walk: Walk,
): number {
  // The schema is in memory, and has a limit of its own.
  if (isIntrospection(node)) return 0;
  if (!node.selectionSet) return COST_OF_VALUE;
  const field = fieldOf(node, parent);
  const type = field && getNamedType(field.type);
  const args = field ? argumentsOf(node, field, walk.variables) : {};
  const isList = field !== undefined && isListType(getNullableType(field.type));
  const size = isList ? listSizeOf(`${parent!.name}.${field.name}`, args, page) : 1;
  const inner = field?.args.some(({ name }) => name === 'first') ? pageSize(args) : null;
  const inside = costOfSelections(node.selectionSet, isCompositeType(type) ? type : null, inner, walk);
  return COST_OF_OBJECT + size * inside;
}

function fieldOf(
  { name }: FieldNode,
  parent: Maybe<GraphQLCompositeType>,
): GraphQLField<unknown, unknown> | undefined {
  if (!isObjectType(parent) && !isInterfaceType(parent)) return undefined;
  return parent.getFields()[name.value];
}

function argumentsOf(
  { arguments: given = [] }: FieldNode,
  { args }: GraphQLField<unknown, unknown>,
  variables: Variables,
): FieldArguments {
  const values: Record<string, unknown> = {};
  for (const { name, defaultValue } of args) values[name] = defaultValue;
  for (const { name, value: node } of given) {
    const value = valueFromASTUntyped(node, variables);
    // A variable that was not given leaves the default.
    if (value !== undefined) values[name.value] = value;
  }
  return values;
}

function costOfFragment(name: string, page: number | null, walk: Walk): number {
  const fragment = walk.fragments.get(name);
  if (!fragment) return 0;
  const key = `${name} ${page}`;
  const known = walk.priced.get(key);
  if (known !== undefined) return known;
  const type = compositeType(walk, fragment.typeCondition.name.value);
  const cost = costOfSelections(fragment.selectionSet, type, page, walk);
  walk.priced.set(key, cost);
  return cost;
}

function compositeType({ schema }: Walk, name: string): Maybe<GraphQLCompositeType> {
  const type = schema.getType(name);
  return isCompositeType(type) ? type : null;
}
