import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { systemClock } from '@ringfence/base/platform';
import type { KekProvider } from '../../kek-provider.ts';
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
import { GcpKmsBackend, type GcpKmsKey } from './gcp-kms-backend.ts';
import { KEY, startGcpKmsServer, type GcpKmsServer } from './gcp-kms-server.fixture.ts';

async function serve(
  t: TestContext,
): Promise<GcpKmsServer & { open(given?: Partial<GcpKmsKey>, budget?: Partial<KekBudget>): KekProvider }> {
  const server = await startGcpKmsServer(t);
  const { credentialsFile, caFile, url: endpoint } = server;
  return Object.assign(server, {
    open: (given: Partial<GcpKmsKey> = {}, budget: Partial<KekBudget> = {}) =>
      providerOf(
        t,
        new GcpKmsBackend(
          { key: KEY, credentialsFile, endpoint, caFile, proxy: undefined, mayDestroy: true, ...given },
          systemClock,
        ),
        budget,
      ),
  });
}

test('wraps, rotates and schedules destruction of one version', async (t) => {
  const server = await serve(t);
  const provider = server.open();
  await provesWrapping(provider);
  const { older, newer } = await provesRotation(provider);
  const gone = await provider.destroy(older.keyVersion);
  const days = gone.state === 'scheduled' ? (gone.at - systemClock.now()) / 86_400_000 : 0;
  assert.ok(days > 29.9 && days < 30.1, String(days));
  assert.deepEqual(await provider.destroy(older.keyVersion), gone, 'again');
  await refused('kek-destroyed', () => provider.unwrap(older, PLACE));
  Object.assign(server.versions.get(older.keyVersion) ?? {}, { state: 'DESTROYED' });
  assert.deepEqual(await provider.destroy(older.keyVersion), { state: 'destroyed' });
  await provider.unwrap(newer, PLACE);
  await refused('kek-tampered', () => provider.unwrap({ ...newer, keyVersion: '99' }, PLACE));
  await refused('kek-denied', () => provider.destroy('99'));
});

test('what was damaged on its way is noticed and asked for again, never used', async (t) => {
  const server = await serve(t);
  const provider = server.open();
  const key = someKey();
  const wrapped = await provider.wrap(key, PLACE);
  for (const damaged of ['ciphertext', 'plaintext'] as const) {
    server.damaged = damaged;
    const before = server.requests();
    await refused('kek-unavailable', () =>
      damaged === 'ciphertext' ? provider.wrap(key, PLACE) : provider.unwrap(wrapped, PLACE),
    );
    assert.ok(server.requests() - before >= 3, 'three tries');
  }
  server.damaged = undefined;
  await opensAs(provider, wrapped, key);
});

test('a key file that is none, or of another account’s key, gets nowhere, and its text is in no error', async (t) => {
  const server = await serve(t);
  const account = JSON.parse(readFileSync(server.credentialsFile, 'utf8')) as Record<string, string>;
  for (const line of account['private_key']?.split('\n') ?? []) if (line.length > 40) secretText(line);
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' });
  const files = [
    { ...account, private_key: String(other) },
    { ...account, private_key_id: 'unknown' },
    { ...account, client_email: 'other@acme.iam.gserviceaccount.com' },
    { ...account, private_key: `${account['private_key']?.slice(0, 200)}` },
    { ...account, type: 'authorized_user' },
  ];
  for (const [at, content] of files.entries()) {
    const credentialsFile = server.secretFile(`account-${at}.json`, JSON.stringify(content));
    await refused('kek-denied', () => server.open({ credentialsFile }).wrap(someKey(), PLACE));
  }
  assert.equal(server.versions.size, 1);
});

test('denied, disabled, busy, silent and cut are told apart, and change nothing', async (t) => {
  const server = await serve(t);
  const provider = server.open();
  const key = someKey();
  const wrapped = await provider.wrap(key, PLACE);
  const row = server.versions.get('1') ?? assert.fail('no version');
  const both = [() => provider.wrap(key, PLACE), () => provider.unwrap(wrapped, PLACE)];
  server.allowed = false;
  for (const run of [...both, () => provider.rotate(), () => provider.destroy('1')]) await refused('kek-denied', run);
  assert.deepEqual(await provider.health(), { usable: false, code: 'kek-denied' });
  server.allowed = true;
  row.state = 'DISABLED';
  for (const run of both) await refused('kek-denied', run);
  row.state = 'ENABLED';
  server.fault = 'cut';
  for (const run of both) await refused('kek-unavailable', run);
  Object.assign(server, { fault: 'busy', faultsLeft: 2 });
  await opensAs(provider, wrapped, key);
  server.fault = 'silent';
  await refused('kek-slow', () => server.open({}, { within: 60 }).unwrap(wrapped, PLACE));
  server.fault = undefined;
  assert.deepEqual([row.state, server.primary, server.versions.size], ['ENABLED', '1', 1]);
  assert.deepEqual(await server.open({ mayDestroy: false }).destroy('1'), { state: 'left-to-owner' });
  await refused('kek-denied', () => server.open({ key: `${KEY}x` }).wrap(key, PLACE));
  await opensAs(provider, wrapped, key);
});
