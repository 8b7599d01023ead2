import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { preparsePolicySet, statefulIsAuthorized } from '@cedar-policy/cedar-wasm/nodejs';
import { newId, seededRng } from '@ringfence/base';
import { KEYRING_ROLES } from '@ringfence/protocol/statements';
import fc from 'fast-check';
import { BUILT_IN_POLICIES } from '../roles/index.ts';
import {
  ACTIONS,
  assertDeclared,
  createAuthoriser,
  rememberDecisions,
  type AccessDecision,
  type AccessRequest,
  type Action,
} from './index.ts';
import { byId, policiesOf } from './policy-texts.ts';

/** As many times over in the whole suite. */
const thorough = process.env['RINGFENCE_TEST_FULL'] === '1' ? 10 : 1;
const rng = seededRng('compiled policies');
const orgs = [newId('org', rng), newId('org', rng)] as const;
const project = newId('project', rng);
const actions = Object.keys(ACTIONS).map(assertDeclared);

/** Cedar over the whole set, as it stands: what every short cut has to agree with. */
function reference(texts: readonly string[]): (request: AccessRequest) => AccessDecision {
  const staticPolicies = byId(
    texts.flatMap((text) => {
      const policies = policiesOf(text);
      return 'faults' in policies ? assert.fail(policies.faults.join()) : policies;
    }),
  );
  assert.ok(staticPolicies !== undefined, 'two policies of one id');
  assert.equal(preparsePolicySet('reference', { staticPolicies }).type, 'success');
  return ({ principal, action, resource }) => {
    const roles =
      principal.type === 'Device'
        ? principal.roles.filter((bound) => bound.project === undefined || bound.project === resource.project)
        : [];
    const uid = (of: { type: string; id: string }) => ({ type: of.type, id: of.id });
    const asker = {
      uid: uid(principal),
      attrs: { org: principal.org, ...(principal.type === 'Device' ? { roles: roles.map(({ role }) => role) } : {}) },
      parents: [],
    };
    const isSame = principal.type === resource.type && principal.id === resource.id;
    const answer = statefulIsAuthorized({
      principal: uid(principal),
      action: { type: 'Action', id: action },
      resource: uid(resource),
      context: {},
      preparsedPolicySetId: 'reference',
      entities: isSame ? [asker] : [asker, { uid: uid(resource), attrs: { org: resource.org }, parents: [] }],
    });
    if (answer.type === 'failure') return assert.fail(JSON.stringify(answer.errors));
    const { decision, diagnostics } = answer.response;
    if (diagnostics.errors.length > 0) return { allow: false, reasons: [{ code: 'not-evaluated' }] };
    const policies = diagnostics.reason.toSorted();
    if (decision === 'allow') return { allow: true, policies };
    const forbidding = policies.map((policy) => ({ code: 'forbidden' as const, policy }));
    return { allow: false, reasons: forbidding.length === 0 ? [{ code: 'not-permitted' }] : forbidding };
  };
}

const sorted = (decision: AccessDecision): AccessDecision =>
  decision.allow
    ? { ...decision, policies: decision.policies.toSorted() }
    : {
        ...decision,
        reasons: decision.reasons.toSorted((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1)),
      };

const forDevices = actions.filter((action) => ACTIONS[action].principals.some((type) => type === 'Device'));
const role = fc.constantFrom(...KEYRING_ROLES);
const device = fc.constantFrom('dev_one', 'dev_two');

const request: fc.Arbitrary<AccessRequest> = fc
  .record({
    action: fc.constantFrom(...actions),
    org: fc.constantFrom(...orgs),
    other: fc.constantFrom(...orgs),
    roles: fc.array(fc.record({ role, project: fc.constantFrom(undefined, project) }), { maxLength: 3 }),
    agent: fc.boolean(),
    id: device,
    thing: fc.constantFrom('one', 'two'),
    inProject: fc.boolean(),
  })
  .map(({ action, org, other, roles, agent, id, thing, inProject }) => {
    const { principals, resource } = ACTIONS[action];
    const may = (type: string) => principals.some((one) => one === type);
    const asAgent = may('Agent') && (agent || !may('Device'));
    return {
      action,
      principal: asAgent ? { type: 'Agent', id, org } : { type: 'Device', id, org, roles },
      resource: { type: resource, id: thing, org: other, ...(inProject ? { project } : {}) },
    };
  });

/** A condition of devices' policies: guards, what is none, what errs, and what no JavaScript number holds. */
const condition: fc.Arbitrary<string> = fc.letrec<{ atom: string; tree: string }>((tie) => ({
  atom: fc.oneof(
    role.map((name) => `principal.roles.contains("${name}")`),
    fc.constantFrom('principal.org == resource.org', 'resource.org == principal.org'),
    fc.constantFrom('principal.roles.containsAny(["owner", "auditor"])', 'resource.org like "org_*"', 'true', 'false'),
    fc.constantFrom('9223372036854775807 > 9223372036854775806', '9223372036854775807 + 1 == 0'),
    device.map((id) => `principal == Device::"${id}"`),
  ),
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    tie('atom'),
    fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => `(${a} && ${b})`),
    fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => `(${a} || ${b})`),
    tie('tree').map((a) => `!(${a})`),
  ),
})).tree;

const scopeOfAction = (names: readonly Action[], one: boolean): string =>
  names.length === 0
    ? 'action'
    : one
      ? `action == Action::"${names[0]}"`
      : `action in [${names.map((name) => `Action::"${name}"`).join(', ')}]`;

const policy = fc
  .record({
    effect: fc.constantFrom('permit', 'forbid'),
    principal: fc.oneof(
      fc.constant('principal is Device'),
      device.map((id) => `principal == Device::"${id}"`),
    ),
    actions: fc.uniqueArray(fc.constantFrom(...forDevices), { minLength: 1, maxLength: 4 }),
    one: fc.boolean(),
    resource: fc.constantFrom('resource', 'resource is Job'),
    clauses: fc.array(fc.tuple(fc.constantFrom('when', 'unless'), condition), { maxLength: 3 }),
  })
  .map(({ effect, principal, actions: names, one, resource, clauses }) => {
    const body = clauses.map(([kind, text]) => `${kind} { ${text} }`).join(' ');
    return `${effect} (${principal}, ${scopeOfAction(names, one)}, ${resource}) ${body};`;
  });

describe('policies that are handed to Cedar', () => {
  it('decide as all of them would: the built-in roles', () => {
    const [fast, whole] = [createAuthoriser(...BUILT_IN_POLICIES), reference(BUILT_IN_POLICIES)];
    fc.assert(
      fc.property(request, (asked) => {
        assert.deepEqual(sorted(fast.authorise(asked)), sorted(whole(asked)));
      }),
      { numRuns: 400 * thorough },
    );
  });

  it('decide as all of them would: texts of all shapes beside the built-in roles', () => {
    let valid = 0;
    let counted = 0;
    fc.assert(
      fc.property(
        fc.array(policy, { minLength: 1, maxLength: 3 }),
        fc.array(request, { minLength: 4, maxLength: 4 }),
        (own, asked) => {
          const texts = [...BUILT_IN_POLICIES, ...own.map((text, index) => `@id("own-${index}") ${text}`)];
          const fast = authoriserOf(texts);
          if (fast === undefined) return;
          valid += 1;
          const whole = reference(texts);
          for (const one of asked) {
            const wanted = sorted(whole(one));
            if (JSON.stringify(wanted).includes('own-') || !wanted.allow) counted += 1;
            assert.deepEqual(sorted(fast.authorise(one)), wanted);
          }
        },
      ),
      { numRuns: 50 * thorough },
    );
    assert.ok(
      valid > 8 * thorough && counted > 15 * thorough,
      `only ${valid} sets were valid, ${counted} decisions took one of their policies`,
    );
  });

  it('are remembered by everything that a request says, and forgotten beyond the most', () => {
    let asked = 0;
    const plain = createAuthoriser(...BUILT_IN_POLICIES);
    const counting = { authorise: (one: AccessRequest) => ((asked += 1), plain.authorise(one)) };
    const remembering = rememberDecisions(counting, 50);
    fc.assert(
      fc.property(request, (one) => {
        assert.deepEqual(sorted(remembering.authorise(one)), sorted(plain.authorise(one)));
      }),
      { numRuns: 300 },
    );
    const before = asked;
    const [one] = fc.sample(request, { numRuns: 1, seed: 7 });
    for (let times = 0; times < 3; times += 1) remembering.authorise(one ?? assert.fail());
    assert.ok(asked - before <= 1);
  });
});

/** Undefined where the validator refuses a text, such as one that is never true. */
function authoriserOf(texts: readonly string[]) {
  try {
    return createAuthoriser(...texts);
  } catch (error) {
    assert.equal((error as { code?: unknown }).code, 'bad-policy');
    return undefined;
  }
}
