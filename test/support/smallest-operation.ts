import {
  getNamedType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isRequiredArgument,
  isRequiredInputField,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLSchema,
} from 'graphql';

export interface SmallestOperation {
  /** `Mutation.refundPayment` */
  readonly name: string;
  readonly kind: 'query' | 'mutation' | 'subscription';
  readonly query: string;
  readonly variables: Record<string, unknown>;
}

/** Scalars with values that are of the right type and lead nowhere. */
const NOWHERE: Readonly<Record<string, unknown>> = {
  ID: 'nowhere',
  String: '8a6e0804-2bd0-4672-b79d-d97027f9071a',
  Boolean: false,
  Int: 1,
  SafeInt: 1,
  DateTimeISO: '2030-01-01T00:00:00.000Z',
  LocalDate: '2030-01-01',
  JSONObject: {},
};

/** By the name of an argument (`Query.customer.externalId`) or of an input's field (`CreateOrderInput.number`). */
type More = Readonly<Record<string, unknown>>;

/**
 * Each root field of the schema, asked with what it must be given and no more.
 * @param more what is given all the same, where it can be.
 */
export function smallestOperations(schema: GraphQLSchema, more: More = {}): SmallestOperation[] {
  const roots = [
    ['query', schema.getQueryType()],
    ['mutation', schema.getMutationType()],
    ['subscription', schema.getSubscriptionType()],
  ] as const;
  return roots.flatMap(([kind, type]) =>
    Object.values(type?.getFields() ?? {}).map((field) => ({
      name: `${type!.name}.${field.name}`,
      kind,
      ...operationOf(kind, `${type!.name}.${field.name}`, field, more),
    })),
  );
}

function operationOf(
  kind: string,
  whole: string,
  { name, args, type }: GraphQLField<unknown, unknown>,
  more: More,
) {
  const given = args.filter(
    (argument) => isRequiredArgument(argument) || `${whole}.${argument.name}` in more,
  );
  const declared = given.map((argument) => `$${argument.name}: ${String(argument.type)}`);
  const passed = given.map((argument) => `${argument.name}: $${argument.name}`);
  const selection = isCompositeType(getNamedType(type)) ? ' { __typename }' : '';
  const inBrackets = (parts: string[]) => (parts.length > 0 ? `(${parts.join(', ')})` : '');
  return {
    query: `${kind} ${inBrackets(declared)} { ${name}${inBrackets(passed)}${selection} }`,
    variables: Object.fromEntries(
      given.map((argument) => [
        argument.name,
        more[`${whole}.${argument.name}`] ?? valueOf(argument.type, more),
      ]),
    ),
  };
}

function valueOf(type: GraphQLInputType, more: More): unknown {
  if (isNonNullType(type)) return valueOf(type.ofType, more);
  if (isListType(type)) return [valueOf(type.ofType, more)];
  if (isEnumType(type)) return type.getValues()[0]!.name;
  if (isInputObjectType(type)) {
    const nameOf = (field: { readonly name: string }) => `${type.name}.${field.name}`;
    const fields = Object.values(type.getFields()).filter(
      (field) => isRequiredInputField(field) || nameOf(field) in more,
    );
    return Object.fromEntries(
      fields.map((field) => [field.name, more[nameOf(field)] ?? valueOf(field.type, more)]),
    );
  }
  if (type.name in NOWHERE) return NOWHERE[type.name];
  throw new Error(`no value is known for ${type.name}: add one to NOWHERE`);
}
