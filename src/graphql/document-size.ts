import { GraphQLError, Kind, visit, type DocumentNode } from 'graphql';

/** More than a program's queries in one file have. */
const MAX_FRAGMENTS = 50;

/** Of one object: twice as many as our largest has. */
const MAX_SELECTIONS_OF_OBJECT = 100;

/**
 * Checked before a document is validated: validation compares the fields of each object with each other, and fragments
 * with fragments, so that without these limits 10 kB could stop the event loop for a tenth of a second.
 * @returns what is too much; null for a document that can be validated in a few milliseconds.
 */
export function oversized(document: DocumentNode): GraphQLError | null {
  const fragments = document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION).length;
  if (fragments > MAX_FRAGMENTS) {
    return tooComplex(`This document has ${fragments} fragments, and ${MAX_FRAGMENTS} are allowed.`);
  }
  let most = 0;
  visit(document, {
    SelectionSet: ({ selections }) => {
      most = Math.max(most, selections.length);
    },
  });
  if (most <= MAX_SELECTIONS_OF_OBJECT) return null;
  return tooComplex(
    `This query asks for ${most} fields of one object, and ${MAX_SELECTIONS_OF_OBJECT} are allowed.`,
  );
}

export function tooComplex(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'QUERY_TOO_COMPLEX', http: { status: 400 } } });
}
