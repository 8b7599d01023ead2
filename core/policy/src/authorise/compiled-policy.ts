import { policyToJson, type Expr, type PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import { PolicyError } from '../policy-error.ts';
import { actionsNamed } from './action-scope.ts';
import type { Action, PrincipalType } from './actions.ts';

/** What is known of a request before Cedar is asked; all that guards look at. */
export interface GuardView {
  readonly principal: PrincipalType;
  readonly roles: ReadonlySet<string>;
  readonly sameOrg: boolean;
}

/** A policy, with what decides beforehand that it cannot count for a request. */
export interface CompiledPolicy {
  readonly id: string;
  /** Whether the action of a request is one that its scope names. */
  readonly names: (action: Action) => boolean;
  /** Whether its principal's type and its first conditions hold; where not, Cedar would find it not satisfied, and no error. */
  readonly mayCount: (view: GuardView) => boolean;
  /** What Cedar is handed once both hold: its scope, where they are all that it says, else the whole text. */
  readonly rest: string | PolicyJson;
  /** Whether what Cedar is handed looks at entities. */
  readonly readsEntities: boolean;
}

type Guard = (view: GuardView) => boolean;

/**
 * Finds in a policy what a look at the request decides: the actions and the principal's type of its scope, and those of its first conditions
 * that ask for a role or compare organisations. Cedar evaluates scope, then conditions, from left to right, and stops at the first that does
 * not hold (docs.cedarpolicy.com, "Policy evaluation"): what comes after a guard that fails is never evaluated, so it cannot err either.
 * A test compares with Cedar over all policies. Throws PolicyError `bad-policy`.
 */
export function compilePolicy(id: string, text: string): CompiledPolicy {
  const parsed = policyToJson(text);
  if (parsed.type === 'failure') throw new PolicyError('bad-policy', 'a policy does not parse', { cause: parsed });
  const { effect, principal, action, resource, conditions } = parsed.json;
  const list = actionsNamed(action);
  const named = list === undefined ? undefined : new Set(list);
  const guards: Guard[] = [];
  if (principal.op === 'is' && principal.in === undefined)
    guards.push((view) => view.principal === principal.entity_type);
  const isAllGuards = conditions.every(({ kind, body }) =>
    kind === 'when' ? takeGuards(body, guards) : takeDenial(body, guards),
  );
  const isScope =
    isAllGuards && (named !== undefined || action.op === 'All') && ![principal, resource].some(({ op }) => op === 'in');
  return {
    id,
    names: (asked) => named === undefined || named.has(asked),
    mayCount: (view) => guards.every((guard) => guard(view)),
    // Never conditions as JSON: a JavaScript number does not hold every number of Cedar's.
    rest: isScope ? { effect, principal, action: { op: 'All' }, resource, conditions: [] } : text,
    readsEntities: !isScope,
  };
}

/** Of `a && b && …` the leading atoms become guards; whether that is all of it. */
function takeGuards(body: Expr, guards: Guard[]): boolean {
  const atom = atomOf(body);
  if (atom !== undefined) {
    guards.push(atom);
    return true;
  }
  const both = sidesOf(body, '&&');
  return both !== undefined && takeGuards(both.left, guards) && takeGuards(both.right, guards);
}

/** `unless` one atom is a guard too. */
function takeDenial(body: Expr, guards: Guard[]): boolean {
  const atom = atomOf(body);
  if (atom === undefined) return false;
  guards.push((view) => !atom(view));
  return true;
}

const ROLES = JSON.stringify({ '.': { left: { Var: 'principal' }, attr: 'roles' } });
const ORGS = [
  JSON.stringify({ '.': { left: { Var: 'principal' }, attr: 'org' } }),
  JSON.stringify({ '.': { left: { Var: 'resource' }, attr: 'org' } }),
];

/** `principal.roles.contains("…")` or `principal.org == resource.org`. */
function atomOf(body: Expr): Guard | undefined {
  const contains = sidesOf(body, 'contains');
  if (contains !== undefined) {
    const { left, right } = contains;
    if (JSON.stringify(left) !== ROLES || !('Value' in right) || typeof right.Value !== 'string') return undefined;
    const role = right.Value;
    return ({ roles }) => roles.has(role);
  }
  const equal = sidesOf(body, '==');
  if (equal === undefined) return undefined;
  const sides = [JSON.stringify(equal.left), JSON.stringify(equal.right)].toSorted();
  return sides[0] === ORGS[0] && sides[1] === ORGS[1] ? ({ sameOrg }) => sameOrg : undefined;
}

/** The two sides of an expression, where `operator` is what joins them. */
function sidesOf(
  body: Expr,
  operator: '&&' | '==' | 'contains',
): { readonly left: Expr; readonly right: Expr } | undefined {
  const sides = Object.entries(body).find(([name]) => name === operator)?.[1] as
    | readonly Expr[]
    | { readonly left: Expr; readonly right: Expr }
    | undefined;
  return sides === undefined || !('left' in sides) ? undefined : sides;
}
