import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { newId, seededRng } from '@ringfence/base';
import { KEYRING_ROLES } from '@ringfence/protocol/statements';
import { ACTIONS, assertDeclared, type Action, type Role } from '../authorise/index.ts';
import { organisationAuthoriser, ownRoleFaults } from './index.ts';
import { roleMatrix } from './role-matrix.fixture.ts';

const rng = seededRng('own roles');
const org = newId('org', rng);
const { permits } = roleMatrix();
const forDevices = Object.keys(ACTIONS)
  .map(assertDeclared)
  .filter((action) => ACTIONS[action].principals.some((type) => type === 'Device'));
const permit = (actions: readonly string[], rest = '', id = 'own') =>
  `@id("${id}") permit (principal is Device, action in [${actions.map((name) => `Action::"${name}"`).join(', ')}], resource) ${rest};`;
const may = (access: string, action: Action, roles: readonly Role[], of = org): boolean =>
  organisationAuthoriser(access).authorise({
    principal: { type: 'Device', id: 'dev_one', org, roles },
    action,
    resource: { type: ACTIONS[action].resource, id: 'thing', org: of },
  }).allow;

describe('own roles', () => {
  it('give what a built-in role gives, under their own conditions, and reach into no other organisation', () => {
    const nightShift = permit(['job:stop'], 'when { principal.roles.contains("read-only") }', 'night-shift');
    assert.deepEqual(ownRoleFaults(nightShift), []);
    assert.equal(may(nightShift, 'job:stop', [{ role: 'read-only' }]), true);
    assert.equal(may(nightShift, 'job:stop', [{ role: 'provider' }]), false);
    assert.equal(may(nightShift, 'job:stop', [{ role: 'read-only' }], newId('org', rng)), false);
    const one = permit(['job:stop'], '').replace('principal is Device', 'principal == Device::"dev_one"');
    assert.equal(may(one, 'job:stop', []), true);
  });

  it('forbid what a built-in role gives', () => {
    const noShell = permit(['job:exec', 'job:copy'], 'unless { principal.roles.contains("owner") }').replace(
      'permit',
      'forbid',
    );
    assert.equal(may(noShell, 'job:exec', [{ role: 'ml-engineer' }]), false);
    assert.equal(may(noShell, 'job:exec', [{ role: 'owner' }]), true);
    assert.equal(may('', 'job:exec', [{ role: 'ml-engineer' }]), true);
  });

  it('give no action that owners and officers alone have, and take none that corrects them, by name', () => {
    const others = KEYRING_ROLES.filter((role) => role !== 'owner' && role !== 'officer');
    const given = forDevices.filter((action) => others.some((role) => permits(action, role)));
    const correcting = ['keyring:read', 'keyring:append', 'policy:read', 'policy:set'];
    const refused = (text: string): string[] => ownRoleFaults(text).join().split(': ')[1]?.split(', ') ?? [];
    assert.deepEqual(
      refused(permit(forDevices)),
      forDevices.filter((action) => !given.includes(action)),
    );
    assert.deepEqual(refused(permit(forDevices).replace('permit', 'forbid')).toSorted(), correcting.toSorted());
    for (const list of [given, forDevices.filter((action) => !correcting.includes(action))]) {
      const text = list === given ? permit(list) : permit(list).replace('permit', 'forbid');
      assert.deepEqual(ownRoleFaults(text.replace('principal is Device', 'principal == Device::"dev_one"')), []);
    }
  });

  it('are refused with what is wrong where they name nobody, nothing, what there is not, or have no id', () => {
    const refused: readonly (readonly [string, RegExp])[] = [
      ['@id("a") permit (principal, action == Action::"job:stop", resource);', /whom it is about/],
      ['@id("a") permit (principal is Agent, action == Action::"grant:request", resource);', /whom it is about/],
      ['@id("a") permit (principal is Device, action, resource);', /name its actions/],
      ['permit (principal is Device, action == Action::"job:stop", resource);', /needs an @id/],
      [permit(['job:stop'], '', 'owner-may-all'), /needs an @id of its own/],
      [permit(['job:sotp']), /alone may: job:sotp/],
      [permit(['job:stop'], 'when { resource.colour == "red" }'), /policy own: .*colour/],
      [permit(['job:stop']) + permit(['job:list']), /./],
      ['@id("a") permit (principal is Device', /./],
      ['@id("a") permit (principal == ?principal, action == Action::"job:stop", resource);', /template/],
    ];
    for (const [text, fault] of refused) {
      assert.match(ownRoleFaults(text).join('\n'), fault, text);
      assert.throws(() => organisationAuthoriser(text), { code: 'bad-policy' });
    }
    assert.deepEqual(ownRoleFaults('// nothing\n'), []);
    const page = readFileSync(new URL('../../../../docs/roles.md', import.meta.url), 'utf8');
    const shown = /```cedar access\n([^`]*)```/.exec(page)?.[1] ?? assert.fail('docs/roles.md shows no own roles');
    assert.deepEqual(ownRoleFaults(shown), []);
  });
});
