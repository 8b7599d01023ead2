import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { epochMs, newId, seededRng, type EpochMs } from '@ringfence/base';
import type { KeyringChange } from '@ringfence/protocol/statements';
import fc from 'fast-check';
import {
  ACTION_ASSURANCE,
  CAREFUL,
  CEREMONY_ASSURANCE,
  checkAssurance,
  DAILY,
  enoughBy,
  FRESH,
  GRAVE,
  HIGHEST,
  keyringRequirement,
  levelOf,
  REGAIN,
  requirementIn,
  type AssuranceRules,
  type Factor,
  type Requirement,
} from './index.ts';

const rng = seededRng('assurance');
const now = epochMs(1_800_000_000_000);
const rules: AssuranceRules = { copiedPasskeysReachThree: false };
const page = readFileSync(new URL('../../../../docs/identity.md', import.meta.url), 'utf8');

const given = (at: EpochMs) =>
  ({
    'device key': { kind: 'device-key', at },
    password: { kind: 'password', at },
    TOTP: { kind: 'totp', at },
    'recovery code': { kind: 'recovery-code', at },
    'passkey without user verification': { kind: 'passkey', at, userVerified: false, mayBeCopied: false },
    'passkey that may be copied': { kind: 'passkey', at, userVerified: true, mayBeCopied: true },
    'passkey bound to its machine': { kind: 'passkey', at, userVerified: true, mayBeCopied: false },
    'hardware key': { kind: 'hardware-key', at },
    'SSO at level 1': { kind: 'sso', at, assures: 1 },
    'SSO at level 2': { kind: 'sso', at, assures: 2 },
    'federated token': { kind: 'federated', at },
  }) as const satisfies Readonly<Record<string, Factor>>;
const factors = given(now);
const names = Object.keys(factors) as (keyof typeof factors)[];

/** The rows of the first table of the page whose head begins with `head`. */
function rowsOf(head: string): string[][] {
  const lines = page.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`| ${head} |`));
  assert.notEqual(start, -1, `docs/identity.md has no table ${head}`);
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'));
  return lines.slice(start + 2, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', '')),
  );
}

const anyFactor = fc
  .record({ name: fc.constantFrom(...names), ageMs: fc.integer({ min: -100_000, max: 50_000_000 }) })
  .map(({ name, ageMs }) => given(epochMs(now - ageMs))[name]);
const requirements: readonly Requirement[] = [DAILY, FRESH, CAREFUL, GRAVE, REGAIN, HIGHEST];

describe('assurance levels', () => {
  it('are those of docs/identity.md, for one factor and for any two', () => {
    const rows = rowsOf('factor');
    assert.deepEqual(new Set(rows.map(([name]) => name)), new Set(names));
    const alone = new Map(rows.map(([name = '', level]) => [name, Number(level)]));
    const place = new Map(rows.map(([name = '', , where = '']) => [name, where]));
    for (const name of names) {
      assert.equal(levelOf([factors[name]], rules), alone.get(name), name);
      for (const other of names) {
        const [one, two] = [place.get(name), place.get(other)];
        const apart = one !== two && one !== '-' && two !== '-' ? 2 : 0;
        const wanted = Math.max(alone.get(name) ?? 0, alone.get(other) ?? 0, apart);
        assert.equal(levelOf([factors[name], factors[other]], rules), wanted, `${name} and ${other}`);
      }
    }
    assert.equal(levelOf([], rules), 0);
  });

  it('let a passkey that may be copied reach 3 where the organisation says so, and no other factor', () => {
    const loose: AssuranceRules = { copiedPasskeysReachThree: true };
    const raised = names.filter((name) => levelOf([factors[name]], loose) !== levelOf([factors[name]], rules));
    assert.deepEqual(raised, ['passkey that may be copied']);
    assert.equal(levelOf([factors['passkey that may be copied']], loose), 3);
  });

  it('never fall by one more factor, nor by a younger one', () => {
    fc.assert(
      fc.property(fc.array(anyFactor, { maxLength: 6 }), anyFactor, (some, more) => {
        assert.ok(levelOf([...some, more], rules) >= levelOf(some, rules));
        for (const requirement of requirements) {
          const before = checkAssurance(requirement, { person: true, factors: some }, { now, rules });
          const younger = some.map((factor) => ({ ...factor, at: factor.at <= now ? now : factor.at }));
          const after = checkAssurance(requirement, { person: true, factors: younger }, { now, rules });
          assert.ok(after.allow || !before.allow);
        }
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('a check of assurance', () => {
  const check = (requirement: Requirement, ...list: Factor[]) =>
    checkAssurance(requirement, { person: true, factors: list }, { now, rules });

  it('counts factors that are younger than it asks, to the millisecond, and none of the future', () => {
    for (const requirement of requirements) {
      const { level, withinMs } = requirement;
      const key = (at: number): Factor => ({ kind: 'hardware-key', at: epochMs(at) });
      assert.deepEqual(check(requirement, key(now - withinMs + 1)), { allow: true, level: 3 });
      const stepUp = { allow: false, reasons: [{ code: 'step-up', level, withinMs }] };
      assert.deepEqual(check(requirement, key(now - withinMs)), stepUp);
      assert.deepEqual(check(requirement, key(now + 1)), stepUp);
      assert.deepEqual(check(requirement), stepUp);
    }
  });

  it('needs both factors to be young where it takes two', () => {
    const old = epochMs(now - GRAVE.withinMs);
    assert.equal(check(GRAVE, factors['device key'], factors.TOTP).allow, true);
    assert.equal(check(GRAVE, factors['device key'], { kind: 'totp', at: old }).allow, false);
    assert.equal(check(CAREFUL, factors['device key'], { kind: 'totp', at: old }).allow, true);
  });

  it('takes a service account for nobody, whatever it brings', () => {
    for (const requirement of requirements) {
      const assured = { person: false, factors: Object.values(factors) };
      const decision = checkAssurance(requirement, assured, { now, rules });
      assert.equal(decision.allow, requirement.level === 1);
      if (!decision.allow) assert.deepEqual(decision.reasons, [{ code: 'not-a-person' }]);
    }
    const two: Requirement = { ...DAILY, people: 2 };
    assert.equal(checkAssurance(two, { person: false, factors: [factors.password] }, { now, rules }).allow, false);
  });

  it('says what would be enough, and that is enough', () => {
    const enrolled = [factors.TOTP, factors['recovery code'], factors['passkey bound to its machine']] as const;
    const at = (requirement: Requirement, ...have: Factor[]) =>
      enoughBy(requirement, { person: true, factors: have }, enrolled, { now, rules }).map(({ kind }) => kind);
    assert.deepEqual(at(GRAVE, factors['device key']), ['totp', 'passkey']);
    assert.deepEqual(at(REGAIN, factors['device key']), ['totp', 'recovery-code', 'passkey']);
    assert.deepEqual(at(HIGHEST, factors['device key']), ['passkey']);
    assert.deepEqual(at(GRAVE), ['passkey']);
    fc.assert(
      fc.property(fc.array(anyFactor, { maxLength: 3 }), fc.constantFrom(...requirements), (have, requirement) => {
        const enough = enoughBy(requirement, { person: true, factors: have }, enrolled, { now, rules });
        for (const factor of enrolled)
          assert.equal(enough.includes(factor), check(requirement, ...have, factor).allow, factor.kind);
      }),
    );
  });

  it('asks for no more than device keys where nobody has another factor, and for as many people', () => {
    for (const requirement of requirements) {
      const lowered = requirementIn('device-only', requirement);
      assert.deepEqual(lowered, { ...requirement, level: 1 });
      assert.equal(check(lowered, factors['device key']).allow, true);
      assert.deepEqual(requirementIn('factors', requirement), requirement);
    }
  });
});

describe('what is asked', () => {
  it('is as docs/identity.md says of the kinds and of ceremonies', () => {
    const kinds = { daily: DAILY, fresh: FRESH, careful: CAREFUL, grave: GRAVE, regain: REGAIN, highest: HIGHEST };
    const written = rowsOf('asks').map(([name = '', level, minutes, people, codes]) => [
      name,
      {
        level: Number(level),
        withinMs: Number(minutes) * 60_000,
        people: Number(people),
        byRecoveryCode: codes === 'yes',
      },
    ]);
    assert.deepEqual(Object.fromEntries(written), kinds);
    const ceremonies = rowsOf('ceremony').map(([name = '', word = '']) => [name, kinds[word as keyof typeof kinds]]);
    assert.deepEqual(Object.fromEntries(ceremonies), CEREMONY_ASSURANCE);
  });

  it('is of what a machine may ask never more than a machine can show', () => {
    for (const action of ['grant:request', 'commit:request', 'log:store', 'object:read'] as const)
      assert.deepEqual(ACTION_ASSURANCE[action], DAILY);
  });

  it('follows from what a keyring statement says', () => {
    const device = newId('device', rng);
    const plain = { byRecoveryKeys: false, isOfficer: () => false };
    const remove = (subject: string) => ({ kind: 'remove', subject, reason: 'lost' }) as KeyringChange;
    for (const kind of ['bind-role', 'unbind-role'] as const) {
      assert.equal(keyringRequirement({ kind, device, role: 'auditor' }, plain), GRAVE);
      assert.equal(keyringRequirement({ kind, device, role: 'owner' }, plain), HIGHEST);
      assert.equal(keyringRequirement({ kind, device, role: 'officer' }, plain), HIGHEST);
    }
    assert.equal(keyringRequirement(remove(device), plain), GRAVE);
    assert.equal(keyringRequirement(remove(device), { ...plain, isOfficer: (id) => id === device }), HIGHEST);
    assert.equal(keyringRequirement(remove(newId('custodian', rng)), plain), HIGHEST);
    assert.equal(keyringRequirement({ kind: 'add-officer', device }, plain), HIGHEST);
    const [custodian, key] = [newId('custodian', rng), 'key' as Extract<KeyringChange, { kind: 'delegate' }>['key']];
    const delegate: KeyringChange = { kind: 'delegate', custodian, key, may: ['head'], notAfter: now };
    assert.equal(keyringRequirement(delegate, plain), HIGHEST);
    assert.equal(keyringRequirement(delegate, { ...plain, renewsDelegation: true }), GRAVE);
    assert.equal(keyringRequirement({ kind: 'add-officer', device }, { ...plain, byRecoveryKeys: true }), DAILY);
  });
});
