import { preparsePolicySet, statefulIsAuthorized, validate, type EntityJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { OrgId, ProjectId } from '@ringfence/base';
import type { KEYRING_ROLES } from '@ringfence/protocol/statements';
import type { Decision } from '../decision.ts';
import { PolicyError } from '../policy-error.ts';
import { ACTIONS, assertDeclared, type Action, type ResourceType } from './actions.ts';
import { cedarSchema } from './cedar-schema.ts';
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

// Cedar keeps parsed sets under a name for the life of the process, so each authoriser takes a name of its own.
let authorisers = 0;

/**
 * An authoriser over Cedar policy text (docs.cedarpolicy.com), parsed once. Every policy carries a unique `@id`, and all must
 * validate strictly against the declared entities and actions; throws PolicyError `bad-policy` otherwise.
 */
export function createAuthoriser(...policyTexts: readonly string[]): Authoriser {
  const staticPolicies = policiesById(policyTexts.flatMap(splitPolicies));
  const checked = validate({ schema: cedarSchema(), policies: { staticPolicies } });
  if (checked.type === 'failure' || checked.validationErrors.length > 0 || checked.validationWarnings.length > 0) {
    throw new PolicyError('bad-policy', 'a policy does not fit the declared actions and entities', { cause: checked });
  }
  authorisers += 1;
  const setName = `ringfence-${authorisers}`;
  const parsed = preparsePolicySet(setName, { staticPolicies });
  if (parsed.type === 'failure') throw new PolicyError('bad-policy', 'the policies do not parse', { cause: parsed });
  return { authorise: (request) => authorise(setName, request) };
}

function authorise(setName: string, { principal, action, resource }: AccessRequest): AccessDecision {
  const row = ACTIONS[assertDeclared(action)];
  if (row.resource !== resource.type || !row.principals.some((type) => type === principal.type)) {
    throw new PolicyError('wrong-resource', 'an action was asked of a resource or by a principal that it is not about');
  }
  const answer = statefulIsAuthorized({
    principal: { type: principal.type, id: principal.id },
    action: { type: 'Action', id: action },
    resource: { type: resource.type, id: resource.id },
    context: {},
    preparsedPolicySetId: setName,
    entities: entitiesOf(principal, resource),
  });
  // Cedar skips a policy that fails to evaluate; skipping a forbid would open a door, so any error is a no (invariant 4).
  if (answer.type === 'failure' || answer.response.diagnostics.errors.length > 0) {
    return { allow: false, reasons: [{ code: 'not-evaluated' }] };
  }
  const { decision, diagnostics } = answer.response;
  if (decision === 'allow') return { allow: true, policies: diagnostics.reason };
  const forbidding = diagnostics.reason.map((policy) => ({ code: 'forbidden' as const, policy }));
  return { allow: false, reasons: forbidding.length === 0 ? [{ code: 'not-permitted' }] : forbidding };
}

/** Two entities of one id would be ambiguous to Cedar: an agent that is asked about itself is one entity. */
function entitiesOf(principal: Principal, resource: Resource): EntityJson[] {
  const roles = principal.type === 'Device' ? { roles: rolesFor(principal.roles, resource) } : {};
  const asker = entity(principal, { org: principal.org, ...roles });
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
