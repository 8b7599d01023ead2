import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainBubblewrapFailure, isRecentBubblewrap } from './explain-failure.ts';

const OPEN = { apparmorRestricts: '0', unprivilegedClone: '1', most: '96365' };
// Each line is what a bubblewrap says when the kernel setting forbids it.
const REFUSED = [
  'bwrap: No permissions to create new namespace, likely because the kernel does not allow non-privileged user namespaces.',
  'bwrap: setting up uid map: Permission denied',
  'bwrap: Creating new namespace failed: Operation not permitted',
  'bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted',
];

test('refused user namespaces lead to the setting that refuses them', () => {
  const remedies = [
    [{ ...OPEN, apparmorRestricts: '1' }, /apparmor_restrict_unprivileged_userns=0/],
    [{ ...OPEN, unprivilegedClone: '0' }, /unprivileged_userns_clone=1/],
    [{ ...OPEN, most: '0' }, /max_user_namespaces=15000/],
    [{ apparmorRestricts: null, unprivilegedClone: null, most: null }, /--security-opt seccomp=unconfined/],
  ] as const;
  for (const words of REFUSED)
    for (const [settings, remedy] of remedies) {
      const missing = explainBubblewrapFailure(`noise\n${words}\n`, settings);
      assert.equal(missing.code, 'user-namespaces-refused');
      assert.match(missing.remedy, remedy);
    }
});

test('a hidden /proc leads to the option of the container engine', () => {
  const missing = explainBubblewrapFailure("bwrap: Can't mount proc on /newroot/proc: Operation not permitted", OPEN);
  assert.equal(missing.code, 'proc-refused');
  assert.match(missing.remedy, /systempaths=unconfined/);
});

test('anything else is told in bubblewrap’s own words', () => {
  const missing = explainBubblewrapFailure('x\nbwrap: execvp /bin/sh: Exec format error\n', OPEN);
  assert.equal(missing.code, 'probe-failed');
  assert.match(missing.reason, /Exec format error/);
  assert.equal(explainBubblewrapFailure('', OPEN).code, 'probe-failed');
});

test('versions without --disable-userns are too old', () => {
  for (const version of ['0.8.0', '0.11.0', '1.0.0']) assert.ok(isRecentBubblewrap(version), version);
  for (const version of ['0.7.0', '0.4.1']) assert.ok(!isRecentBubblewrap(version), version);
});
