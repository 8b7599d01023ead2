import { policyToJson, type PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { OrgId } from '@ringfence/base';
import { actionsNamed, entityName } from '../authorise/action-scope.ts';
import { ACTIONS, assertDeclared, type Action } from '../authorise/actions.ts';
import { createAuthoriser, type Authoriser } from '../authorise/authoriser.ts';
import { policiesOf, type PolicyText } from '../authorise/policy-texts.ts';
import { PolicyError } from '../policy-error.ts';
import { BUILT_IN_POLICIES, BUILT_IN_ROLES, type RoleName } from './built-in-roles.ts';

const OWN_ID = /^[a-z0-9-]{1,40}$/;
/** Whoever corrects a policy has to be able to. */
const NEVER_FORBIDDEN: readonly Action[] = ['keyring:read', 'keyring:append', 'policy:read', 'policy:set'];

/** The built-in roles and what an organisation adds to them. Throws PolicyError `bad-policy` for a text that {@link ownRoleFaults} finds fault with. */
export function organisationAuthoriser(access: string): Authoriser {
  const faults = ownRoleFaults(access);
  if (faults.length === 0) return createAuthoriser(...BUILT_IN_POLICIES, access);
  throw new PolicyError('bad-policy', 'the organisation’s own roles are none', { cause: faults });
}

/**
 * What keeps a text from being an organisation's own roles and conditions; empty when it is. Each policy names devices and the actions that it is about. A `permit`
 * gives only what a built-in role other than owner and officer gives; a `forbid` keeps nobody from correcting it. Cedar validates all strictly.
 */
export function ownRoleFaults(access: string): readonly string[] {
  const policies = policiesOf(access);
  if ('faults' in policies) return policies.faults;
  const faults = policies.flatMap((policy, index) => faultsOf(policy, policy.id ?? String(index + 1)));
  if (faults.length > 0 || policies.length === 0) return faults;
  try {
    createAuthoriser(...BUILT_IN_POLICIES, access);
    return [];
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    return cedarFaults(error);
  }
}

function faultsOf({ id, text }: PolicyText, name: string): string[] {
  const parsed = policyToJson(text);
  if (parsed.type === 'failure') return parsed.errors.map(({ message }) => `policy ${name}: ${message}`);
  const { effect, principal, action } = parsed.json;
  const named = actionsNamed(action) ?? [];
  const beyond = named.filter((one) => (effect === 'permit' ? !grantable().has(one) : isNeverForbidden(one)));
  const verb = effect === 'permit' ? 'permits what owners and officers alone may' : 'forbids what corrects it';
  return [
    ...(id !== undefined && OWN_ID.test(id) && !builtInIds().has(id)
      ? []
      : [`policy ${name} needs an @id of its own such as @id("night-shift")`]),
    ...(isOfDevices(principal)
      ? []
      : [`policy ${name} has to say whom it is about: principal is Device, or one device`]),
    ...(named.length > 0 ? [] : [`policy ${name} has to name its actions: action in [Action::"job:stop"]`]),
    ...(beyond.length > 0 ? [`policy ${name} ${verb}: ${beyond.join(', ')}`] : []),
  ];
}

function isOfDevices(principal: PolicyJson['principal']): boolean {
  if (principal.op === 'is') return principal.entity_type === 'Device';
  return principal.op === '==' && 'entity' in principal && entityName(principal.entity).type === 'Device';
}

const isNeverForbidden = (action: string): boolean => NEVER_FORBIDDEN.some((one) => one === action);

let ids: ReadonlySet<string> | undefined;
function builtInIds(): ReadonlySet<string> {
  ids ??= new Set(
    BUILT_IN_POLICIES.flatMap((text) => {
      const policies = policiesOf(text);
      return 'faults' in policies ? [] : policies.flatMap(({ id }) => id ?? []);
    }),
  );
  return ids;
}

let granted: ReadonlySet<string> | undefined;
/** What the built-in roles other than owner and officer give a device. */
function grantable(): ReadonlySet<string> {
  if (granted !== undefined) return granted;
  const builtIn = createAuthoriser(...BUILT_IN_POLICIES);
  const org = 'org' as OrgId;
  const roles = (Object.keys(BUILT_IN_ROLES) as RoleName[])
    .filter((role) => role !== 'owner' && role !== 'officer')
    .map((role) => ({ role }));
  granted = new Set(
    Object.keys(ACTIONS)
      .map(assertDeclared)
      .filter((action) => {
        const { principals, resource } = ACTIONS[action];
        const principal = { type: 'Device', id: 'any', org, roles } as const;
        return (
          principals.some((type) => type === 'Device') &&
          builtIn.authorise({ principal, action, resource: { type: resource, id: 'any', org } }).allow
        );
      }),
  );
  return granted;
}

function cedarFaults({ message, cause }: PolicyError): readonly string[] {
  const found = cause as { validationErrors?: unknown; validationWarnings?: unknown } | undefined;
  const said = [found?.validationErrors, found?.validationWarnings].flatMap((list) =>
    Array.isArray(list) ? (list as { policyId: string; error: { message: string } }[]) : [],
  );
  return said.length === 0 ? [message] : said.map(({ policyId, error }) => `policy ${policyId}: ${error.message}`);
}
