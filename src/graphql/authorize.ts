import {
  getNamedType,
  isInputObjectType,
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLSchema,
} from 'graphql';
import type { Caller } from '../access/caller.js';
import { needsOf, requirePermission, type Permission } from '../access/permission.js';
import { INPUTS, OPERATIONS, type InputPermission } from '../access/permissions.js';

type Field = GraphQLField<unknown, { readonly caller: Caller }>;
type Resolve = GraphQLFieldResolver<unknown, { readonly caller: Caller }>;
type Arguments = Readonly<Record<string, unknown>>;

/** What has a description in the schema. */
interface Described {
  description?: string | null;
}

interface RestrictedInput {
  readonly name: string;
  readonly described: Described;
  readonly permission: InputPermission;
  readonly read: (given: Arguments) => unknown;
}

/**
 * Puts the question who may before each root field: before its resolver, and of a subscription before it begins. What
 * tokens need is added to the fields' descriptions.
 * @throws where a root field is not in `access/permissions.ts`, or what stands there is not in the schema.
 */
export function authorizeRootFields(schema: GraphQLSchema): GraphQLSchema {
  const unused = new Set([...Object.keys(OPERATIONS), ...Object.keys(INPUTS)]);
  for (const type of [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]) {
    for (const field of Object.values<Field>(type?.getFields() ?? {})) {
      const name = `${type!.name}.${field.name}`;
      const permission = OPERATIONS[name];
      if (!permission) throw new Error(`Nobody has said who may ${name}: enter it in access/permissions.ts`);
      const inputs = restrictedInputs(name, field);
      for (const known of [name, ...inputs.map((input) => input.name)]) unused.delete(known);
      guard(field, permission, inputs);
      describe(field, permission);
      for (const { described, permission: own } of inputs) {
        if (needsOf(own) !== needsOf(permission)) describe(described, own);
      }
    }
  }
  if (unused.size > 0)
    throw new Error(`access/permissions.ts names what isn't there: ${[...unused].join(', ')}`);
  return schema;
}

function describe(described: Described, permission: Permission): void {
  described.description = [described.description, needsOf(permission)].filter(Boolean).join(' ');
}

function guard(field: Field, permission: Permission, inputs: readonly RestrictedInput[]): void {
  const after =
    (resolve: Resolve): Resolve =>
    (source, given: Arguments, context, info) => {
      requirePermission(context.caller, permission, field.name);
      for (const input of inputs) {
        if (isGiven(input, given)) requirePermission(context.caller, input.permission, input.name);
      }
      return resolve(source, given, context, info);
    };
  if (field.subscribe) field.subscribe = after(field.subscribe);
  else if (field.resolve) field.resolve = after(field.resolve);
  else throw new Error(`${field.name} has nothing that answers it`);
}

function restrictedInputs(name: string, { args }: Field): RestrictedInput[] {
  return args.flatMap((argument) => {
    const type = getNamedType(argument.type);
    const whole = `${name}.${argument.name}`;
    const fields = isInputObjectType(type) ? Object.values(type.getFields()) : [];
    return [
      { name: whole, described: argument, read: (given: Arguments) => given[argument.name] },
      ...fields.map((field) => ({
        name: `${type.name}.${field.name}`,
        described: field,
        read: (given: Arguments) => (given[argument.name] as Arguments | null | undefined)?.[field.name],
      })),
    ].flatMap((input) => {
      const permission = INPUTS[input.name];
      return permission ? [{ ...input, permission }] : [];
    });
  });
}

function isGiven({ permission, read }: RestrictedInput, given: Arguments): boolean {
  const value = read(given);
  if (permission.value !== undefined) return value === permission.value;
  return value !== undefined && value !== null && value !== false;
}
