import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseAccount, parsePasswd } from './account.ts';

const PASSWD = [
  'root:x:0:0:root:/root:/bin/bash',
  'daemon:x:1:1::/:/usr/sbin/nologin',
  'postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash',
  'nobody:x:65534:65534::/:/usr/sbin/nologin',
  '+::::::',
  'broken:x:12',
  '',
].join('\n');

test('lines of passwd that are no accounts are skipped', () => {
  const accounts = parsePasswd(PASSWD);
  assert.deepEqual(
    accounts.map(({ name, uid, gid }) => [name, uid, gid]),
    [
      ['root', 0, 0],
      ['daemon', 1, 1],
      ['postgres', 101, 104],
      ['nobody', 65534, 65534],
    ],
  );
});

test('the account is the first of the known names, and the owner of existing data goes before it', () => {
  const accounts = parsePasswd(PASSWD);
  assert.equal(chooseAccount(accounts).name, 'postgres');
  assert.equal(chooseAccount(accounts.filter(({ name }) => name !== 'postgres')).name, 'daemon');
  assert.equal(chooseAccount(accounts, 1).name, 'daemon');
});

test('neither nobody by itself, nor uid 0 under another name, nor an owner without an entry is used', () => {
  const nobody = parsePasswd(PASSWD).filter(({ name }) => name === 'nobody');
  for (const attempt of [
    () => chooseAccount(nobody),
    () => chooseAccount([{ name: 'postgres', uid: 0, gid: 0 }]),
    () => chooseAccount(parsePasswd(PASSWD), 0),
    () => chooseAccount(parsePasswd(PASSWD), 4242),
  ])
    assert.throws(attempt, { name: 'StoreError', code: 'no-account' });
});
