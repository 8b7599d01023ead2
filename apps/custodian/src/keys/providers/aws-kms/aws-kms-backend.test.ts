import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { DecryptCommand, EncryptCommand, KMSClient } from '@aws-sdk/client-kms';
import { httpsAgent } from '@ringfence/client/api';
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
import { AwsKmsBackend, type AwsKmsKey } from './aws-kms-backend.ts';
import { REGION, startAwsKmsServer, type AwsKmsServer } from './aws-kms-server.fixture.ts';

const USER = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: secretText('wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'),
};
const ALIAS = 'alias/ringfence/acme';

async function serve(
  t: TestContext,
): Promise<AwsKmsServer & { open(given?: Partial<AwsKmsKey>, budget?: Partial<KekBudget>): KekProvider }> {
  const server = await startAwsKmsServer(t);
  server.users.set(USER.accessKeyId, { secret: USER.secretAccessKey, may: () => true });
  server.aliases.set(ALIAS, server.newKey('{"Version":"2012-10-17","Id":"ours"}').arn);
  const credentialsFile = server.secretFile('aws.json', JSON.stringify(USER));
  return Object.assign(server, {
    open: (given: Partial<AwsKmsKey> = {}, budget: Partial<KekBudget> = {}) =>
      providerOf(
        t,
        new AwsKmsBackend(
          {
            region: REGION,
            endpoint: server.url,
            key: ALIAS,
            credentialsFile,
            caFile: server.caFile,
            proxy: undefined,
            mayDestroy: true,
            deletionDays: 7,
            ...given,
          },
          systemClock,
        ),
        budget,
      ),
  });
}

test('wraps, rotates by a new key behind the alias, and schedules deletion', async (t) => {
  const server = await serve(t);
  const provider = server.open();
  await provesWrapping(provider);
  const { older, newer } = await provesRotation(provider);
  assert.equal(server.keys.get(newer.keyVersion)?.policy, server.keys.get(older.keyVersion)?.policy, 'the same policy');
  const gone = await provider.destroy(older.keyVersion);
  assert.equal(gone.state, 'scheduled');
  const days = gone.state === 'scheduled' ? (gone.at - systemClock.now()) / 86_400_000 : 0;
  assert.ok(days > 6.9 && days < 7.1, String(days));
  assert.deepEqual(await provider.destroy(older.keyVersion), gone, 'again');
  await refused('kek-destroyed', () => provider.unwrap(older, PLACE));
  await provider.unwrap(newer, PLACE);
  server.keys.delete(older.keyVersion);
  await refused('kek-destroyed', () => provider.unwrap(older, PLACE));
  assert.deepEqual(await provider.destroy(older.keyVersion), { state: 'destroyed' });
});

test('AWS’s own client reads what was wrapped, and what it wraps is unwrapped', async (t) => {
  const server = await serve(t);
  const agent = await httpsAgent({ url: server.url, caFile: server.caFile, clock: systemClock });
  t.after(() => agent.destroy());
  const client = new KMSClient({
    region: REGION,
    endpoint: server.url,
    // A copy: the client writes into it.
    credentials: { ...USER },
    requestHandler: { httpsAgent: agent },
  });
  const provider = server.open();
  const key = someKey();
  const EncryptionContext = { org: PLACE.org, project: PLACE.project, object: PLACE.object, version: '1' };
  const ours = await provider.wrap(key, PLACE);
  const read = await client.send(new DecryptCommand({ CiphertextBlob: ours.wrapped, EncryptionContext }));
  assert.deepEqual(Buffer.from(read.Plaintext ?? []), Buffer.from(key.expose()));
  const made = await client.send(new EncryptCommand({ KeyId: ALIAS, Plaintext: key.expose(), EncryptionContext }));
  await opensAs(provider, { keyVersion: made.KeyId ?? '', wrapped: made.CiphertextBlob ?? new Uint8Array() }, key);
});

test('credentials are read from their file, and a wrong secret signs nothing', async (t) => {
  const server = await serve(t);
  const wrong = { ...USER, secretAccessKey: `${USER.secretAccessKey}x` };
  const cases = [
    server.secretFile('wrong.json', JSON.stringify(wrong)),
    server.secretFile('unknown.json', JSON.stringify({ ...USER, accessKeyId: 'AKIAIOSFODNN7UNKNOWN' })),
    server.secretFile('none.json', 'not json'),
    '/nonexistent/aws.json',
  ];
  for (const credentialsFile of cases)
    await refused('kek-denied', () => server.open({ credentialsFile }).wrap(someKey(), PLACE));
  assert.deepEqual(server.asked, []);
});

test('a key that is named by its ARN is not rotated from here, and none is left behind by a rotation that failed', async (t) => {
  const server = await serve(t);
  const arn = server.aliases.get(ALIAS) ?? '';
  await refused('kek-denied', () => server.open({ key: arn }).rotate());
  server.users.set(USER.accessKeyId, { secret: USER.secretAccessKey, may: (operation) => operation !== 'UpdateAlias' });
  await refused('kek-denied', () => server.open().rotate());
  assert.equal(server.aliases.get(ALIAS), arn);
  const left = [...server.keys.values()].filter((row) => row.state === 'Enabled').map((row) => row.arn);
  assert.deepEqual(left, [arn]);
});

test('denied, disabled, busy, silent and cut are told apart, and change nothing', async (t) => {
  const server = await serve(t);
  const provider = server.open();
  const key = someKey();
  const wrapped = await provider.wrap(key, PLACE);
  const row = server.keys.get(wrapped.keyVersion) ?? assert.fail('no key');
  const both = [() => provider.wrap(key, PLACE), () => provider.unwrap(wrapped, PLACE)];
  server.users.set(USER.accessKeyId, { secret: USER.secretAccessKey, may: () => false });
  for (const run of [...both, () => provider.rotate(), () => provider.destroy(wrapped.keyVersion)])
    await refused('kek-denied', run);
  assert.deepEqual(await provider.health(), { usable: false, code: 'kek-denied' });
  server.users.set(USER.accessKeyId, { secret: USER.secretAccessKey, may: () => true });
  row.state = 'Disabled';
  for (const run of both) await refused('kek-denied', run);
  row.state = 'Enabled';
  server.fault = 'cut';
  for (const run of both) await refused('kek-unavailable', run);
  Object.assign(server, { fault: 'busy', faultsLeft: 2 });
  await opensAs(provider, wrapped, key);
  server.fault = 'silent';
  await refused('kek-slow', () => server.open({}, { within: 100 }).unwrap(wrapped, PLACE));
  server.fault = undefined;
  assert.deepEqual([row.state, server.keys.size, server.aliases.size], ['Enabled', 1, 1]);
  assert.deepEqual(await server.open({ mayDestroy: false }).destroy(wrapped.keyVersion), { state: 'left-to-owner' });
  await opensAs(provider, wrapped, key);
});
