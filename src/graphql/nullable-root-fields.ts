import { getNullableType, type GraphQLSchema } from 'graphql';

/**
 * Makes every root field nullable. A non-null one that fails takes its neighbours with it: `data` is null, and so is the
 * answer of a mutation beside it that was made, such as a refund's id or a secret that is shown once.
 */
export function makeRootFieldsNullable(schema: GraphQLSchema): GraphQLSchema {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  for (const root of roots) {
    for (const field of Object.values(root?.getFields() ?? {})) field.type = getNullableType(field.type);
  }
  return schema;
}
