import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseIsolation } from './isolation.ts';
import { ABLE_MACHINE, MACHINE_WITHOUT_CGROUPS } from './sandbox-spec.fixture.ts';

const sandbox = { available: false, code: 'bubblewrap-absent', reason: 'not installed', remedy: 'install it' } as const;
const BARE = { ...MACHINE_WITHOUT_CGROUPS, sandbox };

const codes = (...args: Parameters<typeof chooseIsolation>) => {
  const decision = chooseIsolation(...args);
  return decision.allow ? decision.level : decision.reasons.map((reason) => reason.code).join(' ');
};

test('bubblewrap is used where it works, also for a job that would take less', () => {
  assert.equal(codes('process', ABLE_MACHINE, { allowProcess: true }), 'sandbox');
  assert.equal(codes('sandbox', ABLE_MACHINE, { allowProcess: false }), 'sandbox');
});

test('level process needs the permission of the site’s owner', () => {
  assert.equal(codes('process', BARE, { allowProcess: true }), 'process');
  assert.equal(codes('process', BARE, { allowProcess: false }), 'process-not-allowed');
});

test('a minimum is never weakened, whatever is allowed', () => {
  for (const allowProcess of [true, false]) {
    assert.equal(codes('sandbox', BARE, { allowProcess }), 'sandbox-missing');
    for (const level of ['microvm', 'tee'] as const)
      assert.equal(codes(level, ABLE_MACHINE, { allowProcess }), 'level-not-supported');
    const noGvisor = { ...ABLE_MACHINE, gvisor: sandbox };
    assert.equal(codes('gvisor', noGvisor, { allowProcess }), 'gvisor-missing');
    assert.equal(codes('container', { ...noGvisor, container: sandbox }, { allowProcess }), 'container-missing');
  }
});

test('a container is enough for a container, and gVisor is too', () => {
  assert.equal(codes('container', ABLE_MACHINE, { allowProcess: false }), 'container');
  assert.equal(codes('container', { ...ABLE_MACHINE, container: sandbox }, { allowProcess: false }), 'gvisor');
  assert.equal(codes('gvisor', ABLE_MACHINE, { allowProcess: false }), 'gvisor');
});

test('a hard memory limit is a need of its own, told together with the others', () => {
  const site = { allowProcess: false, hardMemory: true };
  assert.equal(codes('sandbox', MACHINE_WITHOUT_CGROUPS, site), 'hard-memory-missing');
  assert.equal(codes('sandbox', BARE, site), 'hard-memory-missing sandbox-missing');
  assert.equal(codes('sandbox', ABLE_MACHINE, site), 'sandbox');
});

test('a refusal carries the remedy, an answer what stays open', () => {
  const refused = chooseIsolation('sandbox', BARE, { allowProcess: false });
  assert.ok(!refused.allow);
  assert.deepEqual(refused.reasons, [{ code: 'sandbox-missing', reason: 'not installed', remedy: 'install it' }]);
  const allowed = chooseIsolation('process', BARE, { allowProcess: true });
  assert.ok(allowed.allow);
  assert.ok(allowed.notProtected.some((line) => line.includes('network')));
});
