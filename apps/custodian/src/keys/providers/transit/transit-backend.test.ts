import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { Secret } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { kekAadBytes, type KekProvider } from '../../kek-provider.ts';
import type { KekBudget } from '../budgeted-provider.ts';
import {
  opensAs,
  PLACE,
  provesRotation,
  provesWrapping,
  providerOf,
  refused,
  secretText,
  someKey,
} from '../provider-proof.fixture.ts';
import { TransitBackend, type TransitKey } from './transit-backend.ts';
import { newTransitKey, startTransitServer, type TransitServer } from './transit-server.fixture.ts';

const TOKEN = secretText('hvs.custodian');

async function serve(
  t: TestContext,
): Promise<TransitServer & { open(given?: Partial<TransitKey>, budget?: Partial<KekBudget>): KekProvider }> {
  const server = await startTransitServer(t);
  server.tokens.set(TOKEN, { text: TOKEN, may: new Set(['read', 'update', 'create', 'delete']) });
  server.keys.set('kek', newTransitKey());
  const tokenFile = server.secretFile('token', `${TOKEN}\n`);
  const access = { url: server.url, caFile: server.caFile };
  return Object.assign(server, {
    open: (given: Partial<TransitKey> = {}, budget: Partial<KekBudget> = {}) => {
      const key = {
        server: access,
        namespace: 'acme',
        mount: 'transit',
        key: 'kek',
        credentials: { tokenFile },
        mayDestroy: true,
        ...given,
      };
      return providerOf(t, new TransitBackend(key, systemClock), budget);
    },
  });
}

test('wraps, rotates and destroys the oldest version; the last one goes with the key', async (t) => {
  const server = await serve(t);
  const provider = server.open();
  assert.equal((await provesWrapping(provider)).keyVersion, '1');
  const { older, newer } = await provesRotation(provider);
  const third = (await provider.rotate()).keyVersion;
  await refused('kek-denied', () => provider.destroy(newer.keyVersion));
  assert.deepEqual(await provider.destroy(older.keyVersion), { state: 'destroyed' });
  assert.deepEqual(await provider.destroy(older.keyVersion), { state: 'destroyed' }, 'again');
  await refused('kek-destroyed', () => provider.unwrap(older, PLACE));
  await provider.unwrap(newer, PLACE);
  await refused('kek-tampered', () => provider.unwrap({ ...newer, keyVersion: '99' }, PLACE));
  await provider.destroy(newer.keyVersion);
  const last = await provider.wrap(someKey(), PLACE);
  assert.deepEqual(await provider.destroy(third), { state: 'destroyed' });
  assert.equal(server.keys.size, 0);
  await refused('kek-destroyed', () => provider.unwrap(last, PLACE));
});

test('an independent client of Vault reads what was wrapped, and what it wraps is unwrapped', async (t) => {
  const server = await serve(t);
  const { default: nodeVault } = await import('node-vault');
  const vault = nodeVault({
    apiVersion: 'v1',
    endpoint: server.url,
    token: TOKEN,
    namespace: 'acme',
    requestOptions: { ca: server.caPem } as never,
  });
  await vault.write('transit/keys/other', { type: 'aes256-gcm96' });
  const provider = server.open({ key: 'other' });
  const associated_data = Buffer.from(kekAadBytes(PLACE)).toString('base64');
  const key = someKey();
  const ours = await provider.wrap(key, PLACE);
  const ciphertext = `vault:v${ours.keyVersion}:${Buffer.from(ours.wrapped).toString('base64')}`;
  const read = (await vault.write('transit/decrypt/other', { ciphertext, associated_data })) as {
    data: { plaintext: string };
  };
  assert.deepEqual(Buffer.from(read.data.plaintext, 'base64'), Buffer.from(key.expose()));

  const plaintext = Buffer.from(key.expose()).toString('base64');
  const theirs = (await vault.write('transit/encrypt/other', { plaintext, associated_data })) as {
    data: { ciphertext: string };
  };
  const [, version = '', box = ''] = theirs.data.ciphertext.split(':');
  await opensAs(provider, { keyVersion: version.slice(1), wrapped: Buffer.from(box, 'base64') }, key);
  await assert.rejects(() => vault.write('transit/decrypt/other', { ciphertext }), /unable to decrypt/);
  const state = (await vault.read('transit/keys/other')) as { data: { latest_version: number } };
  assert.equal(state.data.latest_version, 1);
});

test('a missing key is not made by wrapping, and a wrong path is no missing key', async (t) => {
  const server = await serve(t);
  await refused('kek-destroyed', () => server.open({ key: 'gone' }).wrap(someKey(), PLACE));
  assert.deepEqual([...server.keys.keys()], ['kek']);
  await refused('kek-denied', () => server.open({ mount: 'transot' }).wrap(someKey(), PLACE));
  await refused('kek-denied', () => server.open({ mount: 'transot' }).destroy('1'));
  server.keys.set('rsa', newTransitKey('rsa-4096'));
  await refused('kek-denied', () => server.open({ key: 'rsa' }).wrap(someKey(), PLACE));
});

test('an AppRole logs in once, and again when its token is gone', async (t) => {
  const server = await serve(t);
  server.roles.set('role', { secretId: secretText('the-second'), seconds: 3600 });
  const secretIdFile = server.secretFile('secret-id', secretText('the-first'));
  const provider = server.open({ credentials: { appRole: { mount: 'approle', roleId: 'role', secretIdFile } } });
  await refused('kek-denied', () => provider.wrap(someKey(), PLACE));
  writeFileSync(secretIdFile, 'the-second');
  const key = someKey();
  const wrapped = await provider.wrap(key, PLACE);
  assert.equal(server.tokens.size, 2);
  await opensAs(provider, wrapped, key);
  assert.equal(server.tokens.size, 2, 'the token is kept');
  for (const text of server.tokens.keys()) if (text !== TOKEN) server.tokens.delete(text);
  await opensAs(provider, wrapped, key);
  assert.equal(server.tokens.size, 2, 'logged in again');
});

test('denied, sealed, silent, cut and gone are told apart, and change nothing', async (t) => {
  const server = await serve(t);
  const provider = server.open();
  const key = someKey();
  const wrapped = await provider.wrap(key, PLACE);
  const before = JSON.stringify(
    [...server.keys].map(([name, row]) => [name, { ...row, versions: [...row.versions.keys()] }]),
  );
  server.tokens.set(TOKEN, { text: TOKEN, may: new Set(['read']) });
  const all = [
    () => provider.wrap(key, PLACE),
    () => provider.unwrap(wrapped, PLACE),
    () => provider.rotate(),
    () => provider.destroy('1'),
  ];
  for (const run of all) await refused('kek-denied', run);
  assert.deepEqual(await provider.health(), { usable: false, code: 'kek-denied' });
  server.tokens.delete(TOKEN);
  for (const run of all) await refused('kek-denied', run);
  server.tokens.set(TOKEN, { text: TOKEN, may: new Set(['read', 'update']) });
  server.sealed = true;
  for (const run of all) await refused('kek-unavailable', run);
  server.sealed = false;
  server.fault = 'silent';
  const hasty = server.open({}, { within: 60 });
  await refused('kek-slow', () => hasty.wrap(key, PLACE));
  await refused('kek-slow', () => hasty.unwrap(wrapped, PLACE));
  server.fault = 'cut';
  await refused('kek-unavailable', () => provider.unwrap(wrapped, PLACE));
  // Two requests fail; the third try has the answer.
  Object.assign(server, { fault: 'busy', faultsLeft: 2 });
  await opensAs(provider, wrapped, key);
  const after = JSON.stringify(
    [...server.keys].map(([name, row]) => [name, { ...row, versions: [...row.versions.keys()] }]),
  );
  assert.equal(after, before);
  await server.stop();
  await refused('kek-unavailable', () => provider.unwrap(wrapped, PLACE));
});

test('a server of another authority gets no token', async (t) => {
  const [server, other] = [await serve(t), await serve(t)];
  const provider = server.open({ server: { url: server.url, caFile: other.caFile } });
  await refused('kek-unavailable', () => provider.wrap(someKey(), PLACE));
  assert.equal(server.requests(), 0);
});

test('a key that is not 32 bytes long is none', async (t) => {
  const server = await serve(t);
  const provider = server.open();
  const short = await provider.wrap(new Secret(Buffer.alloc(16, 1)), PLACE);
  await refused('kek-tampered', () => provider.unwrap(short, PLACE));
});
