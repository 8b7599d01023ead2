import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { newId, seededRng } from '@ringfence/base';
import { KEYRING_ROLES } from '@ringfence/protocol/statements';
import fc from 'fast-check';
import {
  ACTIONS,
  assertDeclared,
  createAuthoriser,
  OWNER_POLICY,
  RESOURCE_TYPES,
  type AccessRequest,
  type Action,
  type Principal,
  type Resource,
  type Role,
} from './index.ts';

const rng = seededRng('authoriser');
const org = newId('org', rng);
const otherOrg = newId('org', rng);
const project = newId('project', rng);
const owner = createAuthoriser(OWNER_POLICY);
const actions = Object.keys(ACTIONS).map(assertDeclared);

const device = (...roles: Role[]): Principal => ({ type: 'Device', id: newId('device', rng), org, roles });
const agent = (): Principal => ({ type: 'Agent', id: newId('agent', rng), org });
const resourceOf = (action: Action, of = org): Resource => ({ type: ACTIONS[action].resource, id: 'thing', org: of });
const may = (principal: Principal, action: Action): boolean =>
  ACTIONS[action].principals.some((type) => type === principal.type);

describe('the owner policy', () => {
  it('is the text of the policy file, byte for byte', () => {
    assert.equal(OWNER_POLICY, readFileSync(new URL('../../policies/owner.cedar', import.meta.url), 'utf8'));
  });

  it('lets an owner do everything that a device can ask for, and names the policy', () => {
    const asker = device({ role: 'owner' });
    for (const action of actions.filter((name) => may(asker, name))) {
      assert.deepEqual(owner.authorise({ principal: asker, action, resource: resourceOf(action) }), {
        allow: true,
        policies: ['owner-may-all'],
      });
    }
  });

  it('permits nothing to a device with any other roles', () => {
    const asker = device(...KEYRING_ROLES.filter((role) => role !== 'owner').map((role) => ({ role })));
    for (const action of actions.filter((name) => may(asker, name))) {
      assert.deepEqual(owner.authorise({ principal: asker, action, resource: resourceOf(action) }), {
        allow: false,
        reasons: [{ code: 'not-permitted' }],
      });
    }
  });

  it('permits an agent exactly what running a job takes', () => {
    const permitted = actions.filter(
      (action) =>
        may(agent(), action) && owner.authorise({ principal: agent(), action, resource: resourceOf(action) }).allow,
    );
    assert.deepEqual(permitted.toSorted(), [
      'agent:renew',
      'attempt:report',
      'audit:read',
      'audit:witness',
      'checkpoint:store',
      'commit:request',
      'entry:request',
      'evidence:read',
      'gateway:serve',
      'grant:request',
      'identity:request',
      'keyring:read',
      'lock:follow',
      'log:store',
      'object:read',
      'object:write',
      'opening:request',
      'replica:report',
      'round:request',
    ]);
  });

  it('reaches into no other organisation', () => {
    for (const principal of [device({ role: 'owner' }), agent()]) {
      for (const action of actions.filter((name) => may(principal, name))) {
        assert.deepEqual(owner.authorise({ principal, action, resource: resourceOf(action, otherOrg) }), {
          allow: false,
          reasons: [{ code: 'forbidden', policy: 'never-across-organisations' }],
        });
      }
    }
  });

  it('counts a role that is bound to a project in that project only', () => {
    const principal = device({ role: 'owner', project });
    const ask = (where: Resource): boolean => owner.authorise({ principal, action: 'job:read', resource: where }).allow;
    const job = resourceOf('job:read');
    assert.equal(ask({ ...job, project }), true);
    assert.equal(ask({ ...job, project: newId('project', rng) }), false);
    assert.equal(ask(job), false);
  });

  it('decides about an agent that is asked about itself', () => {
    const reader = createAuthoriser('@id("x") permit (principal is Device, action, resource is Agent);');
    const id = newId('agent', rng);
    const resource: Resource = { type: 'Agent', id, org };
    assert.equal(reader.authorise({ principal: device(), action: 'agent:drain', resource }).allow, true);
  });
});

describe('an authoriser', () => {
  it('throws for an action that is not declared, whatever its spelling', () => {
    const spelling = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'toString', 'job:submit '));
    fc.assert(
      fc.property(
        spelling.filter((name) => !Object.hasOwn(ACTIONS, name)),
        (name) => {
          assert.throws(() => assertDeclared(name), { code: 'undeclared-action' });
          const request = { principal: device(), action: name, resource: resourceOf('job:read') };
          assert.throws(() => owner.authorise(request as AccessRequest), { code: 'undeclared-action' });
        },
      ),
    );
  });

  it('throws when an action is asked of what it is not about', () => {
    const principal = device({ role: 'owner' });
    for (const action of actions) {
      for (const type of RESOURCE_TYPES.filter((name) => name !== ACTIONS[action].resource)) {
        assert.throws(() => owner.authorise({ principal, action, resource: { type, id: 'x', org } }), {
          code: 'wrong-resource',
        });
      }
    }
    assert.throws(
      () => owner.authorise({ principal: agent(), action: 'job:submit', resource: resourceOf('job:submit') }),
      { code: 'wrong-resource' },
    );
  });

  it('denies by default and lets forbid win over permit', () => {
    const request = {
      principal: device({ role: 'owner' }),
      action: 'job:read',
      resource: resourceOf('job:read'),
    } as const;
    assert.equal(createAuthoriser().authorise(request).allow, false);
    const both = createAuthoriser(OWNER_POLICY, '@id("freeze") forbid (principal, action, resource);');
    assert.deepEqual(both.authorise(request), { allow: false, reasons: [{ code: 'forbidden', policy: 'freeze' }] });
    assert.equal(owner.authorise(request).allow, true, 'sets do not leak into each other');
  });

  it('says no when a policy cannot be evaluated, even if another permits', () => {
    const overflow = createAuthoriser(
      '@id("yes") permit (principal, action, resource);',
      '@id("broken") forbid (principal, action, resource) when { 9223372036854775807 + 1 == 0 };',
    );
    const request = { principal: device(), action: 'job:read', resource: resourceOf('job:read') } as const;
    assert.deepEqual(overflow.authorise(request), { allow: false, reasons: [{ code: 'not-evaluated' }] });
  });

  it('refuses policies without an id, with a used id, that do not parse, do not fit, or are templates', () => {
    const refused = [
      'permit (principal, action, resource);',
      '@id("") permit (principal, action, resource);',
      '@id("a") permit (principal, action, resource); @id("a") forbid (principal, action, resource);',
      '@id("a") permit (principal, action, resource',
      '@id("a") permit (principal, action == Action::"job:sumbit", resource);',
      '@id("a") permit (principal, action, resource) when { resource.owner == "x" };',
      '@id("a") permit (principal == ?principal, action, resource);',
    ];
    for (const text of refused) assert.throws(() => createAuthoriser(text), { code: 'bad-policy' }, text);
  });

  it('treats any text as a policy or refuses it with its own error', () => {
    const alphabet = fc.constantFrom(
      'permit',
      'forbid',
      '(',
      ')',
      'principal',
      ',',
      'action',
      'resource',
      ';',
      '@id("a")',
      '"',
      ' ',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(alphabet, { maxLength: 12 }).map((parts) => parts.join('')),
        ),
        (text) => {
          try {
            createAuthoriser(text);
          } catch (error) {
            assert.equal((error as { code?: unknown }).code, 'bad-policy');
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
