import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Digest } from '@ringfence/crypto/sign';
import type { ContractRow } from '@ringfence/protocol/payload';
import { meantBy } from './which-contract.ts';

type Row = Pick<ContractRow, 'contract' | 'name' | 'state'>;
const digest = (start: string): Digest => start.padEnd(64, '0') as Digest;
const row = (start: string, name: string, state: Row['state'] = 'held'): Row => ({
  contract: digest(start),
  name,
  state,
});

test('a name or the beginning of a digest means the one contract that it fits', () => {
  const rows = [row('aaaaaaaa1', 'study'), row('aaaaaaaa2', 'trial'), row('bb', 'trial', 'expired')];
  assert.equal(meantBy('study', rows), rows[0]);
  assert.equal(meantBy('aaaaaaaa2', rows), rows[1]);
  assert.equal(meantBy('trial', rows), rows[1], 'of one name the only one that holds');
  assert.equal(meantBy(digest('bb'), rows), rows[2]);
  const shadowed = [row('cc', digest('dd')), row('dd', 'study')];
  assert.equal(meantBy(digest('dd'), shadowed), shadowed[1], 'a whole digest means nothing else');
  assert.equal(meantBy('trial', [row('cc', 'trial', 'expired')]).contract, digest('cc'));
  for (const word of ['others', 'aaaaaaa', 'stud'])
    assert.throws(() => meantBy(word, rows), { code: 'not-found' }, word);
});

test('a word that fits several is refused with their digests', () => {
  for (const [word, rows] of [
    ['study', [row('aa', 'study'), row('bb', 'study')]],
    ['study', [row('aa', 'study', 'expired'), row('bb', 'study', 'incomplete')]],
    ['abcdef01', [row('abcdef01a', 'one'), row('abcdef01b', 'two', 'expired')]],
    // Somebody else's draft whose name is the beginning of another's digest.
    ['abcdef01', [row('abcdef01', 'one', 'expired'), row('cc', 'abcdef01')]],
    ['abcdef01', [row('abcdef01', 'one'), row('cc', 'abcdef01', 'incomplete')]],
  ] as const)
    assert.throws(
      () => meantBy(word, rows),
      (error: { code?: string; next?: string }) =>
        error.code === 'usage' && rows.every(({ contract }) => error.next?.includes(contract)),
      word,
    );
});

test('a word that fits none is repeated, with the nearest name', () => {
  assert.throws(() => meantBy('stduy', [row('aa', 'study')]), {
    code: 'not-found',
    message: 'the custodian keeps no contract called stduy',
    next: /^did you mean study\? .*ringfence contract ls/,
  });
});
