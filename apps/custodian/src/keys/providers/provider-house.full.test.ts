import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { KekErrorCode } from '../../custodian-error.ts';
import { startControlPlaneDouble } from '../../fixtures/control-plane-double.fixture.ts';
import { startRig } from '../../fixtures/custodian-rig.fixture.ts';
import { claimRig } from '../../fixtures/organisation.fixture.ts';
import { startKeyGateway } from './gateway/key-gateway.fixture.ts';
import { newTransitKey, startTransitServer } from './transit/transit-server.fixture.ts';

const TOKEN = 'hvs.custodian';

test('a custodian whose organisation’s key lies in Transit, and then with a gateway of the customer', async (t) => {
  const vault = await startTransitServer(t);
  vault.tokens.set(TOKEN, { text: TOKEN, may: new Set(['read', 'update']) });
  vault.keys.set('kek', newTransitKey());
  const gateway = await startKeyGateway(t, 'health');
  const providers = [
    {
      name: 'vault',
      kind: 'transit',
      url: vault.url,
      caFile: vault.caFile,
      namespace: 'acme',
      key: 'kek',
      tokenFile: vault.secretFile('token', TOKEN),
      keepFor: '0s',
    },
    {
      name: 'own',
      kind: 'gateway',
      url: gateway.url,
      caFile: gateway.caFile,
      certificateFile: gateway.secretFile('client.pem', gateway.certificate.certificatePem),
      keyFile: gateway.secretFile('client.key', Buffer.from(gateway.certificate.keyPem.expose()).toString()),
      // The default of 250 ms is for a machine that does nothing else.
      budget: '2s',
    },
  ];
  const kekProviders = join(gateway.folder, 'providers.json');
  writeFileSync(kekProviders, JSON.stringify(providers));
  const [rig, controlPlane] = await Promise.all([startRig({ kekProviders }), startControlPlaneDouble()]);
  t.after(async () => {
    await rig.close();
    await controlPlane.close();
  });
  const organisation = await claimRig(rig, controlPlane);
  let { client } = organisation;
  gateway.organisations.add(organisation.org);

  const secrets = () =>
    rig.custodian.context.store.withOrg(organisation.org, (tx) =>
      tx.selectFrom('secret').selectAll().orderBy('name_index').execute(),
    );
  const move = async (name: string): Promise<void> => {
    await client.keys.move(name);
    await rig.custodian.context.rotation.settled();
  };
  const current = async () => (await client.keys.status()).projectKeys.findLast(({ state }) => state === 'current');
  const refuses = async (code: KekErrorCode, provider: string): Promise<void> => {
    const before = await secrets();
    await assert.rejects(() => client.setSecret('OTHER', 'more'), { code });
    assert.deepEqual(await secrets(), before, 'nothing changed');
    const seen = (await client.keys.status()).providers.find(({ name }) => name === provider);
    assert.deepEqual([seen?.chosen, seen?.keyVersion, seen?.failure], [true, null, code]);
  };

  await client.setSecret('TOKEN', 'hush');
  await t.test('what lay under the built-in key lies under Transit’s, and nothing is kept', async () => {
    await move('vault');
    const key = await current();
    assert.deepEqual([key?.provider, key?.keyVersion], ['vault', '1']);
    const asked = vault.requests();
    await client.setSecret('TOKEN', 'hush again');
    await client.setSecret('TOKEN', 'and again');
    assert.ok(vault.requests() >= asked + 2);
  });
  await t.test('when Transit refuses or is sealed, nothing is sealed and nothing changes', async () => {
    vault.tokens.set(TOKEN, { text: TOKEN, may: new Set() });
    await refuses('kek-denied', 'vault');
    vault.tokens.set(TOKEN, { text: TOKEN, may: new Set(['read', 'update']) });
    vault.sealed = true;
    await refuses('kek-unavailable', 'vault');
    vault.sealed = false;
    await client.setSecret('OTHER', 'more');
  });
  await t.test('a rotation makes a version there, and a restart reads it', async () => {
    await client.keys.rotate();
    await rig.custodian.context.rotation.settled();
    assert.equal((await current())?.keyVersion, '2');
    await rig.restart();
    client = await rig.client(organisation.tls);
    await client.setSecret('TOKEN', 'after a restart');
  });
  await t.test('moves to the gateway; when its owner says no, or says nothing in time, nothing opens', async () => {
    await move('own');
    assert.deepEqual([(await current())?.provider, (await current())?.keyVersion], ['own', '2026-1']);
    const before = await current();
    await client.keys.rotate();
    await rig.custodian.context.rotation.settled();
    const exchanged = await current();
    assert.notEqual(exchanged?.version, before?.version, 'the project’s key is exchanged');
    assert.equal(exchanged?.keyVersion, '2026-1', 'the owner alone makes versions of theirs');
    gateway.organisations.delete(organisation.org);
    await assert.rejects(() => client.setSecret('OTHER', 'more'), { code: 'kek-denied' });
    gateway.organisations.add(organisation.org);
    gateway.fault = 'silent';
    await refuses('kek-slow', 'own');
    gateway.fault = undefined;
    await client.setSecret('OTHER', 'more');
  });
  await t.test(
    'a version that its owner made current is moved to, and one that they forgot opens nothing',
    async () => {
      gateway.keys.set('2026-2', randomBytes(32));
      gateway.current = '2026-2';
      await move('own');
      assert.equal((await current())?.keyVersion, '2026-2');
      gateway.keys.delete('2026-1');
      await client.setSecret('TOKEN', 'under the new one');
      gateway.keys.delete('2026-2');
      await refuses('kek-destroyed', 'own');
    },
  );
});
