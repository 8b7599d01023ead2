import { statefulIsAuthorized, validate, type EntityJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { OrgId, ProjectId } from '@ringfence/base';
import type { KEYRING_ROLES } from '@ringfence/protocol/statements';
import type { Decision } from '../decision.ts';
import { PolicyError } from '../policy-error.ts';
import { ACTIONS, assertDeclared, type Action, type ResourceType } from './actions.ts';
import { cedarSchema } from './cedar-schema.ts';
import { compilePolicy, type CompiledPolicy } from './compiled-policy.ts';
import { ParsedSets } from './parsed-sets.ts';
import { byId, policiesOf, type PolicyText } from './policy-texts.ts';

/** A role, in the whole organisation or in one project. */
export interface Role {
  readonly role: (typeof KEYRING_ROLES)[number];
  readonly project?: ProjectId | undefined;
}

/** Who asks: a device with the roles that the keyring binds it to, or an agent. */
export type Principal =
  | { readonly type: 'Device'; readonly id: string; readonly org: OrgId; readonly roles: readonly Role[] }
  | { readonly type: 'Agent'; readonly id: string; readonly org: OrgId };

/** What it is asked of; a role bound to a project counts only where `project` is that project. */
export interface Resource {
  readonly type: ResourceType;
  readonly id: string;
  readonly org: OrgId;
  readonly project?: ProjectId | undefined;
}

/** One question to the policies. */
export interface AccessRequest {
  readonly principal: Principal;
  readonly action: Action;
  readonly resource: Resource;
}

/** Why access was denied: a policy that forbids, no policy that permits, or a policy that could not be evaluated. */
export type AccessReason =
  | { readonly code: 'forbidden'; readonly policy: string }
  | { readonly code: 'not-permitted' }
  | { readonly code: 'not-evaluated' };

/** Yes with the ids of the policies that permitted, or no with why. */
export type AccessDecision = Decision<AccessReason, { readonly policies: readonly string[] }>;

/** A parsed, validated set of policies. */
export interface Authoriser {
  /** Decides one request; throws PolicyError `undeclared-action` or `wrong-resource` for a request that no route may make. */
  readonly authorise: (request: AccessRequest) => AccessDecision;
}

/**
 * An authoriser over Cedar policy text (docs.cedarpolicy.com), parsed once. Every policy carries a unique `@id`, and all must
 * validate strictly against the declared entities and actions; throws PolicyError `bad-policy` otherwise. Of the policies Cedar is handed
 * those that may count for the request ({@link compilePolicy}).
 */
export function createAuthoriser(...policyTexts: readonly string[]): Authoriser {
  const staticPolicies = policiesById(policyTexts.flatMap(splitPolicies));
  const checked = validate({ schema: cedarSchema(), policies: { staticPolicies } });
  if (checked.type === 'failure' || checked.validationErrors.length > 0 || checked.validationWarnings.length > 0) {
    throw new PolicyError('bad-policy', 'a policy does not fit the declared actions and entities', { cause: checked });
  }
  const policies = Object.entries(staticPolicies).map(([id, text]) => compilePolicy(id, text));
  const byAction = new Map<Action, readonly CompiledPolicy[]>();
  for (const action of Object.keys(ACTIONS).map(assertDeclared))
    byAction.set(
      action,
      policies.filter(({ names }) => names(action)),
    );
  const sets = new ParsedSets();
  return { authorise: (request) => authorise(byAction.get(assertDeclared(request.action)) ?? [], sets, request) };
}

function authorise(
  candidates: readonly CompiledPolicy[],
  sets: ParsedSets,
  { principal, action, resource }: AccessRequest,
): AccessDecision {
  const row = ACTIONS[action];
  if (row.resource !== resource.type || !row.principals.some((type) => type === principal.type)) {
    throw new PolicyError('wrong-resource', 'an action was asked of a resource or by a principal that it is not about');
  }
  const roles = principal.type === 'Device' ? rolesFor(principal.roles, resource) : [];
  const view = { principal: principal.type, roles: new Set(roles), sameOrg: principal.org === resource.org };
  const counting = candidates.filter(({ mayCount }) => mayCount(view));
  if (counting.length === 0) return NOT_PERMITTED;
  const answer = statefulIsAuthorized({
    principal: { type: principal.type, id: principal.id },
    action: { type: 'Action', id: action },
    resource: { type: resource.type, id: resource.id },
    context: {},
    preparsedPolicySetId: sets.nameOf(counting),
    entities: counting.some(({ readsEntities }) => readsEntities) ? entitiesOf(principal, resource, roles) : [],
  });
  // Cedar skips a policy that fails to evaluate; skipping a forbid would open a door, so any error is a no (invariant 4).
  if (answer.type === 'failure' || answer.response.diagnostics.errors.length > 0) {
    return { allow: false, reasons: [{ code: 'not-evaluated' }] };
  }
  const { decision, diagnostics } = answer.response;
  if (decision === 'allow') return { allow: true, policies: diagnostics.reason };
  const forbidding = diagnostics.reason.map((policy) => ({ code: 'forbidden' as const, policy }));
  return forbidding.length === 0 ? NOT_PERMITTED : { allow: false, reasons: forbidding };
}

const NOT_PERMITTED: AccessDecision = { allow: false, reasons: [{ code: 'not-permitted' }] };

/** Two entities of one id would be ambiguous to Cedar: an agent that is asked about itself is one entity. */
function entitiesOf(principal: Principal, resource: Resource, roles: readonly string[]): EntityJson[] {
  const attributes = principal.type === 'Device' ? { roles: [...roles] } : {};
  const asker = entity(principal, { org: principal.org, ...attributes });
  const same = principal.type === resource.type && principal.id === resource.id && principal.org === resource.org;
  return same ? [asker] : [asker, entity(resource, { org: resource.org })];
}

function entity({ type, id }: { type: string; id: string }, attrs: EntityJson['attrs']): EntityJson {
  return { uid: { type, id }, attrs, parents: [] };
}

function rolesFor(roles: readonly Role[], { project }: Resource): string[] {
  const counting = roles.filter((bound) => bound.project === undefined || bound.project === project);
  return [...new Set(counting.map(({ role }) => role))];
}

function splitPolicies(text: string): readonly PolicyText[] {
  const policies = policiesOf(text);
  if ('faults' in policies) {
    throw new PolicyError('bad-policy', 'the policy text does not parse, or holds templates', { cause: policies });
  }
  return policies;
}

function policiesById(policies: readonly PolicyText[]): Record<string, string> {
  const found = byId(policies);
  if (found === undefined) throw new PolicyError('bad-policy', 'every policy needs an @id that no other has');
  return found;
}
