import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock, systemRng } from '@ringfence/base';
import { PasswordHasher } from './password-hasher.ts';
import { checkPassword } from './password-rules.ts';

test('a password is its hash’s and no other’s, however it is typed, and nobody’s is nobody’s', async () => {
  const hasher = new PasswordHasher(new ManualClock(), systemRng);
  const [one, again] = await Promise.all([hasher.hash('größe und stärke'), hasher.hash('größe und stärke')]);
  assert.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  assert.notEqual(one, again, 'salted');
  assert.equal(await hasher.verify(one, 'größe und stärke'), true);
  assert.equal(await hasher.verify(one, 'gro\u0308\u00dfe und sta\u0308rke'), true, 'another keyboard');
  assert.equal(await hasher.verify(one, 'grösse und stärke'), false);
  assert.equal(await hasher.verify(one, 'Größe und stärke'), false);
  assert.equal(await hasher.verify(one, 'größe und stärke '), false);
  assert.equal(await hasher.verify(undefined, 'größe und stärke'), false);
  assert.equal(
    await hasher.verify('$argon2i$v=19$m=8,t=1,p=1$AAAA$AAAA', ''.padEnd(12)),
    false,
    'a form that is not ours',
  );
});

test('of a flood most are sent away at once', async () => {
  const hasher = new PasswordHasher(new ManualClock(), systemRng, 3);
  const asked = Array.from({ length: 50 }, () => hasher.verify(undefined, 'anything at all'));
  const settled = await Promise.allSettled(asked);
  const reasons = settled.flatMap((each) => (each.status === 'rejected' ? [each.reason as { code?: string }] : []));
  assert.equal(reasons.length, 50 - 2 - 3);
  assert.deepEqual([...new Set(reasons.map(({ code }) => code))], ['unavailable']);
});

test('a new password is long enough and none of those that everybody tries', () => {
  const reasons = (text: string) => {
    const checked = checkPassword(text);
    return checked.allow ? [] : checked.reasons;
  };
  assert.deepEqual(reasons('elevenchars'), ['too-short']);
  assert.deepEqual(reasons('🙂'.repeat(11)), ['too-short'], 'characters, not units');
  assert.deepEqual(reasons('x'.repeat(129)), ['too-long']);
  assert.deepEqual(reasons('Password-1234'), ['common']);
  assert.deepEqual(reasons('correct horse battery staple'), ['common']);
  for (const suggested of ['Ringfence-2026!', 'officer officer', 'my Control Plane 1', 'the custodian 7'])
    assert.deepEqual(reasons(suggested), ['common'], suggested);
  for (const fine of ['twelve chars', 'ringfence around nine hills', '            ', 'ääääääÄÄÄÄÄÄ', 'x'.repeat(128)])
    assert.deepEqual(reasons(fine), [], fine);
});
