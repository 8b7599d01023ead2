import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { newId, seededRng } from '@ringfence/base';
import { KEYRING_ROLES } from '@ringfence/protocol/statements';
import fc from 'fast-check';
import { ACTION_ASSURANCE, CAREFUL, DAILY, GRAVE, HIGHEST } from '../assurance/index.ts';
import {
  ACTIONS,
  assertDeclared,
  createAuthoriser,
  type Action,
  type Principal,
  type Resource,
  type Role,
} from '../authorise/index.ts';
import { BUILT_IN_POLICIES, BUILT_IN_ROLES, type RoleName } from './index.ts';
import { roleMatrix } from './role-matrix.fixture.ts';

const rng = seededRng('built-in roles');
const org = newId('org', rng);
const project = newId('project', rng);
const authoriser = createAuthoriser(...BUILT_IN_POLICIES);
const actions = Object.keys(ACTIONS).map(assertDeclared);
const { words: expected, permits: expectedOf } = roleMatrix();
const forDevices = actions.filter((action) => ACTIONS[action].principals.some((type) => type === 'Device'));
const forAgents = actions.filter((action) => ACTIONS[action].principals.some((type) => type === 'Agent'));

const device = (...roles: Role[]): Principal => ({ type: 'Device', id: newId('device', rng), org, roles });
const agent: Principal = { type: 'Agent', id: newId('agent', rng), org };
const resourceOf = (action: Action, change: Partial<Resource> = {}): Resource => ({
  type: ACTIONS[action].resource,
  id: 'thing',
  org,
  ...change,
});
const may = (principal: Principal, action: Action, change: Partial<Resource> = {}): boolean =>
  authoriser.authorise({ principal, action, resource: resourceOf(action, change) }).allow;

describe('the built-in roles', () => {
  it('are the texts of the policy files, byte for byte', () => {
    for (const role of KEYRING_ROLES) {
      const file = readFileSync(new URL(`../../policies/${role}.cedar`, import.meta.url), 'utf8');
      assert.equal(BUILT_IN_ROLES[role], file, role);
    }
  });

  it('are exactly the matrix of docs/roles.md', () => {
    assert.deepEqual([...expected.keys()], actions);
    for (const action of forDevices) {
      for (const role of KEYRING_ROLES) {
        assert.equal(may(device({ role }), action), expectedOf(action, role), `${role}, ${action}`);
      }
      assert.equal(may(device(), action), false, `no role, ${action}`);
    }
    for (const action of forAgents) assert.equal(may(agent, action), expectedOf(action, 'agent'), action);
    for (const action of actions) {
      if (!forDevices.includes(action)) for (const role of KEYRING_ROLES) assert.equal(expectedOf(action, role), false);
      if (!forAgents.includes(action)) assert.equal(expectedOf(action, 'agent'), false);
    }
  });

  it('ask what the same table says', () => {
    const words = new Map([
      ['daily', DAILY],
      ['careful', CAREFUL],
      ['grave', GRAVE],
      ['highest', HIGHEST],
    ]);
    for (const action of actions)
      assert.deepEqual(ACTION_ASSURANCE[action], words.get(expected.get(action)?.get('asks') ?? ''), action);
  });

  it('name the policy that permits', () => {
    const resource = resourceOf('job:read');
    const decision = authoriser.authorise({ principal: device({ role: 'auditor' }), action: 'job:read', resource });
    assert.deepEqual(decision, { allow: true, policies: ['auditor-may-look'] });
  });

  it('add up, and reach no further than their project and their organisation', () => {
    const anyRoles = fc.subarray([...KEYRING_ROLES]);
    fc.assert(
      fc.property(anyRoles, fc.constantFrom(...forDevices), fc.boolean(), (roles, action, inProject) => {
        const wanted = roles.some((role) => expectedOf(action, role));
        const bound = roles.map((role) => ({ role, ...(inProject ? { project } : {}) }));
        const principal = device(...bound);
        assert.equal(may(principal, action, inProject ? { project } : {}), wanted);
        assert.equal(may(principal, action, { org: newId('org', rng) }), false);
        if (inProject) assert.equal(may(principal, action, { project: newId('project', rng) }), false);
        if (inProject) assert.equal(may(principal, action), false);
      }),
      { numRuns: 500 },
    );
  });

  it('keep whoever governs, runs or audits from what jobs read, write and say', () => {
    const payload: readonly Action[] = [
      'job:logs',
      'job:exec',
      'job:copy',
      'artifact:read',
      'object:read',
      'secret:use',
      'custodian:backup',
      'organisation:export',
    ];
    const without: readonly RoleName[] = ['officer', 'operator', 'auditor', 'provider', 'read-only'];
    const all = device(...without.map((role) => ({ role })));
    for (const action of payload) assert.equal(may(all, action), false, action);
    const lookers = device({ role: 'auditor' }, { role: 'read-only' });
    for (const action of forDevices.filter((name) => !/:(?:read|list|status)$/.test(name)))
      assert.equal(may(lookers, action), false, action);
  });
});
