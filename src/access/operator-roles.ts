/** What an operator may do; each role may also do what those before it may. Least first. */
export const OPERATOR_ROLES = ['viewer', 'support', 'operator'] as const;

export type OperatorRole = (typeof OPERATOR_ROLES)[number];

export function hasRole(role: OperatorRole, least: OperatorRole): boolean {
  return OPERATOR_ROLES.indexOf(role) >= OPERATOR_ROLES.indexOf(least);
}

/** The strongest role among the names that a token carries; undefined where none is known. */
export function strongestRole(names: readonly unknown[]): OperatorRole | undefined {
  return OPERATOR_ROLES.findLast((role) => names.includes(role));
}
