import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { systemRng } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { budgetOf, closeProviders, openProviders } from './open-providers.ts';
import { readProviderFile } from './provider-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'ringfence-providers-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'providers.json');
const read = (entries: unknown) => {
  writeFileSync(path, JSON.stringify(entries));
  return readProviderFile(path);
};
const TRANSIT = { name: 'vault', kind: 'transit', url: 'https://vault.example:8200', key: 'kek', tokenFile: 'token' };
const GCP = {
  name: 'gcp',
  kind: 'gcp-kms',
  key: 'projects/p/locations/l/keyRings/r/cryptoKeys/k',
  credentialsFile: '/etc/sa.json',
};
const GATEWAY = {
  name: 'own',
  kind: 'gateway',
  url: 'https://keys.example',
  certificateFile: 'c.pem',
  keyFile: 'k.pem',
};

test('paths are those of the file’s folder, and what is left out has its default', () => {
  const [vault, gcp] = read([TRANSIT, { ...GCP, budget: '500ms', keepFor: '0s' }]);
  assert.deepEqual(vault, {
    ...TRANSIT,
    mount: 'transit',
    mayDestroy: false,
    tokenFile: join(folder, 'token'),
  });
  assert.deepEqual(gcp, { ...GCP, mayDestroy: false, budget: 500, keepFor: 0 });
  assert.deepEqual(read([]), []);
});

test('what cannot be meant is refused, by entry and field and without its value', () => {
  const wrong: [unknown, RegExp][] = [
    [{}, /not a list of providers$/],
    ['hunter2', /not a list of providers$/],
    [[TRANSIT, TRANSIT], /not a list of providers$/],
    [[{ ...TRANSIT, name: 'built-in' }], /entry 1, name/],
    [[TRANSIT, { ...GCP, keepFor: '6m' }], /entry 2, keepFor/],
    [[{ ...GCP, budget: 'hunter2' }], /entry 1, budget/],
    [[{ ...TRANSIT, url: 'http://vault.example' }], /entry 1, url/],
    [[{ ...TRANSIT, url: 'https://me:hunter2@vault.example' }], /entry 1, url/],
    [[{ ...TRANSIT, url: 'https://vault.example/v1/hunter2' }], /entry 1, url/],
    [[{ ...TRANSIT, key: '../sys/hunter2' }], /entry 1, key/],
    [[{ ...TRANSIT, token: 'hunter2' }], /entry 1/],
    [[{ ...TRANSIT, tokenFile: undefined }], /entry 1/],
    [[{ ...TRANSIT, appRole: { roleId: 'r', secretIdFile: 's' } }], /entry 1/],
    [[{ ...GCP, kind: 'azure' }], /entry 1, kind/],
    [[{ name: 'aws', kind: 'aws-kms', region: 'eu-central-1', key: 'hunter2' }], /entry 1, key/],
  ];
  for (const [entries, message] of wrong)
    assert.throws(
      () => read(entries),
      (error: { code: string; message: string }) => {
        assert.equal(error.code, 'bad-config');
        assert.match(error.message, message);
        assert.ok(!error.message.includes('hunter2'));
        return true;
      },
    );
  assert.throws(() => readProviderFile(join(folder, 'none')), { code: 'bad-config' });
});

test('opens what it names, with 250 ms and nothing kept for a gateway of the customer', async () => {
  writeFileSync(join(folder, 'c.pem'), 'certificate');
  writeFileSync(join(folder, 'k.pem'), 'key', { mode: 0o644 });
  const parts = { clock: systemClock, rng: systemRng, outer: { caFile: undefined, proxy: undefined } };
  read([GATEWAY, TRANSIT]);
  await assert.rejects(openProviders(path, parts), { code: 'bad-config' }, 'others may read the key');
  rmSync(join(folder, 'k.pem'));
  writeFileSync(join(folder, 'k.pem'), 'key', { mode: 0o600 });
  const providers = await openProviders(path, parts);
  assert.deepEqual(
    [...providers].map(([name, { kind, keepFor }]) => [name, kind, keepFor]),
    [
      ['own', 'gateway', 0],
      ['vault', 'transit', 300_000],
    ],
  );
  await closeProviders(providers);
  assert.deepEqual(budgetOf({ kind: 'gateway' }), { within: 250, keepFor: 0 });
  assert.deepEqual(budgetOf({ kind: 'gateway', budget: 90, keepFor: 7 }), { within: 90, keepFor: 7 });
  assert.equal((await openProviders(undefined, parts)).size, 0);
});

test('the examples of the documentation are read', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../../../docs/operate/key-providers.md'), 'utf8');
  const examples = [...page.matchAll(/```json providers\n([^]*?)```/g)].map((match) => match[1] ?? '');
  const kinds = examples.flatMap((example) => read(JSON.parse(example)).map(({ kind }) => kind));
  assert.deepEqual(kinds.toSorted(), ['aws-kms', 'gateway', 'gcp-kms', 'pkcs11', 'transit', 'transit']);
});
