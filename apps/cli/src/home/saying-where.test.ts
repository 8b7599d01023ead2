import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId, systemRng } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { ClientError } from '@ringfence/client/error';
import { createLinkIdentity } from '@ringfence/client/payload-link';
import { TlsKey } from '@ringfence/crypto/certificate';
import { SigningKey } from '@ringfence/crypto/sign';
import { runCli, temporaryFolder } from '../cli-process.fixture.ts';
import { writeDeviceKeys, writeProfile, type Profile } from './profile.ts';
import { sayingWhere } from './saying-where.ts';

const [sign, key] = [SigningKey.generate(systemRng), TlsKey.generate(systemRng)];
const profile: Profile = {
  v: 1,
  name: 'acme',
  org: newId('org', systemRng),
  orgRoot: sign.publicKey,
  project: newId('project', systemRng),
  device: newId('device', systemRng),
  controlPlane: { id: newId('controlPlane', systemRng), url: 'https://127.0.0.1:1', root: sign.publicKey, caPin: null },
  custodian: { id: newId('custodian', systemRng), tls: key.publicKey, relay: null, lan: '127.0.0.1:2' },
};

test('a command that reaches nobody names the servers of its profile and how they start again', async (t) => {
  const home = temporaryFolder(t);
  const { tls } = await createLinkIdentity({ key, clock: systemClock, rng: systemRng });
  writeDeviceKeys(home, { sign, tls: key, certificatePem: tls.certificatePem });
  writeProfile(home, profile);
  const { code, stdout, stderr } = await runCli(home, ['ps']);
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /no connection \(ECONNREFUSED\) \(unreachable\)/);
  assert.match(stderr, /https:\/\/127\.0\.0\.1:1, custodian 127\.0\.0\.1:2.*npm run quickstart/);
});

test('servers elsewhere are looked at with the doctor, and other errors stay as they are', () => {
  const controlPlane = { ...profile.controlPlane, url: 'https://control.example.org' };
  const relay = { url: 'https://relay.example.org:8444', caPin: null };
  const said = sayingWhere(new ClientError('unreachable', 'no connection (EHOSTUNREACH)'), {
    ...profile,
    controlPlane,
    custodian: { ...profile.custodian, relay },
  });
  assert.ok(said instanceof ClientError);
  assert.match(
    said.next ?? '',
    /ringfence doctor.*control\.example\.org.*127\.0\.0\.1:2 or https:\/\/relay\.example\.org:8444/,
  );
  const other = new ClientError('peer-offline', 'the other side is not connected to the relay');
  assert.equal(sayingWhere(other, profile), other);
});
