import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { epochMs, newId, seededRng, type LockId, type MemberId } from '@ringfence/base';
import fc from 'fast-check';
import type { Officer } from '../assurance/index.ts';
import type { Role } from '../authorise/index.ts';
import {
  checkLocks,
  CUT_BY,
  CUTS,
  HASTY_LOCK_MS,
  mayLift,
  mayLock,
  NOT_AGAIN_MS,
  officerUnder,
  rolesUnder,
  type Lock,
  type LockTarget,
  type Party,
  type TokenId,
} from './index.ts';

const rng = seededRng('locks');
const now = epochMs(1_800_000_000_000);
const [project, otherProject] = [newId('project', rng), newId('project', rng)];
const [device, otherDevice] = [newId('device', rng), newId('device', rng)];
const [agent, site] = [newId('agent', rng), newId('site', rng)];
const member = 'mem_anna' as MemberId;
const token = 'tok_one' as TokenId;

const person: Party = { member, device, roles: [{ role: 'ml-engineer' }] };
const machine: Party = { agent, site, roles: [] };
const bearer: Party = { token, member, device, roles: [{ role: 'ml-engineer' }] };
const stranger: Party = { member: 'mem_ben' as MemberId, device: otherDevice, roles: [{ role: 'auditor' }] };

const targets = [
  { kind: 'member', member },
  { kind: 'role', role: 'ml-engineer' },
  { kind: 'device', device },
  { kind: 'agent', agent },
  { kind: 'site', site },
  { kind: 'token', token },
] as const satisfies readonly LockTarget[];
const lock = (target: LockTarget, until: number | null = null, id = target.kind): Lock => ({
  id: `lck_${id}` as LockId,
  target,
  until: until === null ? null : epochMs(until),
});
const cut = (what: (typeof CUTS)[number], party: Party, ...locks: Lock[]) =>
  !checkLocks(what, [party], { locks, now }).allow;

describe('a lock', () => {
  it('cuts what docs/identity.md says', () => {
    const page = readFileSync(new URL('../../../../docs/identity.md', import.meta.url), 'utf8');
    for (const { kind } of targets) {
      const row = new RegExp(`^\\| ${kind} \\| ([a-z, ]+) \\|$`, 'm').exec(page)?.[1];
      assert.deepEqual(row?.split(', '), CUT_BY[kind], kind);
    }
    assert.equal(targets.length, Object.keys(CUT_BY).length);
  });

  it('cuts whom it names, and a token by who minted it, and nobody else', () => {
    const named: Readonly<Record<LockTarget['kind'], readonly Party[]>> = {
      member: [person, bearer],
      device: [person, bearer],
      role: [person, bearer],
      agent: [machine],
      site: [machine],
      token: [bearer],
    };
    for (const target of targets)
      for (const party of [person, machine, bearer, stranger])
        for (const what of CUTS) {
          const wanted = CUT_BY[target.kind].includes(what) && named[target.kind].includes(party);
          assert.equal(cut(what, party, lock(target)), wanted, `${target.kind} ${what}`);
        }
  });

  it('cuts a stream by either of its ends, and names every lock', () => {
    const locks = targets.map((target) => lock(target));
    const decision = checkLocks('streams', [bearer, machine], { locks, now });
    assert.deepEqual(
      decision,
      { allow: false, reasons: locks.map(({ id }) => id) },
      'both ends are named by all locks together',
    );
    assert.equal(checkLocks('streams', [stranger, machine], { locks: [lock(targets[4])], now }).allow, false);
    assert.equal(checkLocks('streams', [stranger], { locks, now }).allow, true);
  });

  it('without what it names names nobody: a party without a device is not the device that is not there', () => {
    const nobody = lock({ kind: 'device', device: otherDevice });
    assert.equal(cut('streams', machine, nobody), false);
    assert.equal(cut('streams', { roles: [] }, ...targets.map((target) => lock(target))), false);
  });

  it('ends at its end, to the millisecond', () => {
    assert.equal(cut('requests', person, lock(targets[0], now + 1)), true);
    assert.equal(cut('requests', person, lock(targets[0], now)), false);
  });
});

describe('a lock on a role', () => {
  const everywhere: Role = { role: 'ml-engineer' };
  const inProject: Role = { role: 'ml-engineer', project };
  const other: Role = { role: 'auditor' };
  const under = (target: LockTarget, roles: Role[], of?: typeof project) =>
    rolesUnder([lock(target)], roles, { now, project: of });

  it('suspends the role, and leaves the others', () => {
    const target = targets[1];
    assert.deepEqual(under(target, [everywhere, inProject, other]), [other]);
    assert.deepEqual(rolesUnder([lock(target, now)], [everywhere], { now, project }), [everywhere]);
    assert.deepEqual(under(targets[0], [everywhere]), [everywhere], 'other locks suspend no role');
  });

  it('in one project suspends it there, bound how it may be, and nowhere else', () => {
    const target: LockTarget = { kind: 'role', role: 'ml-engineer', project };
    assert.deepEqual(under(target, [everywhere, inProject, other], project), [other]);
    assert.deepEqual(under(target, [everywhere, other], otherProject), [everywhere, other]);
    assert.deepEqual(under(target, [everywhere]), [everywhere]);
  });

  it('cuts whoever came in by it, and lets them back without it', () => {
    const target: LockTarget = { kind: 'role', role: 'ml-engineer', project };
    const locks = [lock(target)];
    const roles = [everywhere, other];
    for (const about of [project, otherProject, undefined]) {
      const before: Party = { device, roles, project: about };
      assert.equal(checkLocks('streams', [before], { locks, now }).allow, about !== project);
      const after: Party = { ...before, roles: rolesUnder(locks, roles, { now, project: about }) };
      assert.equal(checkLocks('streams', [after], { locks, now }).allow, true);
    }
  });
});

describe('who may lock', () => {
  const officer = (name: string, locked = false, roles: readonly Role[] = [{ role: 'officer' }]): Officer => ({
    device: newId('device', rng),
    member: `mem_${name}` as MemberId,
    locked,
    roles,
  });
  const [anna, ben] = [officer('anna'), officer('ben')];
  const setting = (by: Officer, target: LockTarget, officers = [anna, ben]) => ({
    by,
    target,
    officers,
    lastEndedAt: null,
    now,
  });
  const reasons = (...given: Parameters<typeof setting>) => {
    const decision = mayLock(setting(...given));
    return decision.allow ? [] : decision.reasons;
  };

  it('is one officer, for a day', () => {
    assert.deepEqual(mayLock(setting(anna, { kind: 'member', member: ben.member })), {
      allow: true,
      until: now + HASTY_LOCK_MS,
    });
    assert.deepEqual(reasons(officer('cleo'), targets[0]), ['not-an-officer']);
    assert.deepEqual(reasons(anna, targets[3], [{ ...anna, locked: true }, ben]), ['locked']);
    assert.deepEqual(reasons({ ...anna, member: ben.member }, targets[3]), ['not-an-officer']);
  });

  it('never leaves nobody who can act', () => {
    assert.deepEqual(reasons(anna, { kind: 'role', role: 'officer' }), ['last-officer']);
    assert.deepEqual(reasons(anna, { kind: 'device', device: anna.device }, [anna]), ['last-officer']);
    const benLocked = { ...ben, locked: true };
    assert.deepEqual(reasons(anna, { kind: 'member', member: anna.member }, [anna, benLocked]), ['last-officer']);
    assert.deepEqual(reasons(anna, { kind: 'device', device: anna.device }), [], 'a lost device of one of two');
    const ofOneMember = { ...officer('anna'), locked: false };
    assert.deepEqual(reasons(anna, { kind: 'member', member: anna.member }, [anna, ofOneMember]), ['last-officer']);
    const any = fc.constantFrom<LockTarget>(
      ...targets,
      { kind: 'member', member: anna.member },
      { kind: 'device', device: ben.device },
      { kind: 'role', role: 'officer' },
    );
    fc.assert(
      fc.property(any, fc.boolean(), (target, locked) => {
        const officers = [anna, { ...ben, locked }];
        if (!mayLock(setting(anna, target, officers)).allow) return;
        const acting = officers.filter((each) => {
          const party: Party = { ...each, roles: [{ role: 'officer' }] };
          return !each.locked && checkLocks('approvals', [party], { locks: [lock(target)], now }).allow;
        });
        assert.ok(acting.length > 0);
      }),
    );
  });

  it('never leaves nobody whose roles lift locks, whichever locks come one after the other', () => {
    const owner: Role = { role: 'owner' };
    const owners = [officer('anna', false, [owner]), officer('ben', false, [owner])] as const;
    assert.deepEqual(reasons(owners[0], { kind: 'role', role: 'owner' }, [...owners]), ['last-officer']);
    assert.deepEqual(reasons(owners[0], { kind: 'role', role: 'owner', project }, [...owners]), ['last-officer']);
    assert.deepEqual(reasons(owners[0], { kind: 'role', role: 'owner' }, [...owners, ben]), []);
    const inProject = officer('cleo', false, [{ role: 'officer', project }]);
    assert.deepEqual(reasons(owners[0], { kind: 'role', role: 'owner' }, [...owners, inProject]), ['last-officer']);

    const parties = ['anna', 'ben', 'cleo'].map((name) => officer(name));
    const bound = fc.array(
      fc.constantFrom<Role>(owner, { role: 'officer' }, { role: 'auditor' }, { ...owner, project }),
      {
        maxLength: 3,
      },
    );
    const target = fc.oneof(
      fc.constantFrom<LockTarget>(
        { kind: 'role', role: 'owner' },
        { kind: 'role', role: 'officer' },
        { kind: 'role', role: 'owner', project },
        { kind: 'role', role: 'officer', project },
        { kind: 'role', role: 'auditor' },
      ),
      fc.constantFrom(...parties).map((of): LockTarget => ({ kind: 'member', member: of.member })),
      fc.constantFrom(...parties).map((of): LockTarget => ({ kind: 'device', device: of.device })),
    );
    const asked = fc.constantFrom(project, undefined);
    fc.assert(
      fc.property(fc.tuple(bound, bound, bound), fc.array(target, { maxLength: 6 }), asked, (roles, wanted, about) => {
        const locks: Lock[] = [];
        const officers = () =>
          parties.map((party, at) =>
            officerUnder({ ...party, roles: roles[at] ?? [], project: about }, { locks, now }),
          );
        for (const each of wanted) {
          const by = officers().find(({ locked }) => !locked) ?? assert.fail('somebody can act');
          if (!mayLock({ ...setting(by, each), officers: officers() }).allow) continue;
          locks.push(lock(each));
          const acting = officers().filter((left) => {
            const caller: Party = { ...left, project: about };
            return !left.locked && mayLift(left.roles) && checkLocks('requests', [caller], { locks, now }).allow;
          });
          assert.ok(acting.length > 0);
        }
      }),
    );
  });

  it('is not the same one again for a week', () => {
    const again = (sinceMs: number) =>
      mayLock({ ...setting(anna, targets[0]), lastEndedAt: epochMs(now - sinceMs) }).allow;
    assert.deepEqual([again(NOT_AGAIN_MS), again(NOT_AGAIN_MS - 1), again(-1)], [true, false, false]);
  });
});
