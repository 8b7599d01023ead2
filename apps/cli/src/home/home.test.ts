import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { newId, systemRng } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { createLinkIdentity } from '@ringfence/client/payload-link';
import { TlsKey } from '@ringfence/crypto/certificate';
import { SigningKey } from '@ringfence/crypto/sign';
import { makeRecoveryKit } from '@ringfence/keyring';
import { runCli, temporaryFolder } from '../cli-process.fixture.ts';
import { firstKeyring } from './first-keyring.ts';
import { readPendingClaim, removePendingClaim, replaceRegistration, storePendingClaim } from './pending-claim.ts';
import { hasProfile, readDeviceKeys, readProfile, writeDeviceKeys, writeProfile, type Profile } from './profile.ts';
import { checkPassphrase, openRootKey, recoveryPage, sealRootKey } from './root-key.ts';

const tls = TlsKey.generate(systemRng).publicKey;
const root = SigningKey.generate(systemRng);
const profile: Profile = {
  v: 1,
  name: 'acme',
  org: newId('org', systemRng),
  orgRoot: root.publicKey,
  project: newId('project', systemRng),
  device: newId('device', systemRng),
  controlPlane: { id: newId('controlPlane', systemRng), url: 'https://127.0.0.1:1', root: root.publicKey, caPin: null },
  custodian: { id: newId('custodian', systemRng), tls, relay: null, lan: '127.0.0.1:1' },
};

async function newDevice() {
  const [sign, key] = [SigningKey.generate(systemRng), TlsKey.generate(systemRng)];
  const { tls: pair } = await createLinkIdentity({ key, clock: systemClock, rng: systemRng });
  return { sign, tls: key, certificatePem: pair.certificatePem };
}

describe('the profile', () => {
  test('and the keys come back as they were stored, in files for their owner alone', async (t) => {
    const home = join(temporaryFolder(t), 'new');
    const keys = await newDevice();
    assert.equal(hasProfile(home), false);
    writeDeviceKeys(home, keys);
    writeProfile(home, profile);
    assert.deepEqual(readProfile(home), profile);
    const read = readDeviceKeys(home);
    assert.deepEqual([read.sign.publicKey, read.tls.publicKey], [keys.sign.publicKey, keys.tls.publicKey]);
    for (const name of ['profile.json', 'device-keys.json'])
      assert.equal(statSync(join(home, name)).mode & 0o777, 0o600);
    assert.equal(statSync(home).mode & 0o777, 0o700);
  });

  test('that is damaged stops a command, and no key is shown', async (t) => {
    const home = temporaryFolder(t);
    const keys = await newDevice();
    writeProfile(home, profile);
    writeDeviceKeys(home, keys);
    const secret = JSON.parse(readFileSync(join(home, 'device-keys.json'), 'utf8')).sign;
    for (const damage of [
      `{"v":1,"sign":"${secret}"}`,
      `{"v":1,"sign":"${secret}`,
      '',
      JSON.stringify({ v: 2, sign: secret }),
    ]) {
      writeFileSync(join(home, 'device-keys.json'), damage);
      const { code, stdout, stderr } = await runCli(home, ['ps']);
      assert.equal(code, 1);
      assert.match(stderr, /missing or damaged \(no-profile\)/);
      assert.ok(!`${stdout}${stderr}`.includes(secret.slice(0, 12)));
    }
  });
});

test('the root key opens with its passphrase alone', async (t) => {
  const file = join(temporaryFolder(t), 'root');
  writeFileSync(file, await sealRootKey(root, 'correct horse battery', systemRng));
  assert.equal((await openRootKey(file, 'correct horse battery')).publicKey, root.publicKey);
  await assert.rejects(openRootKey(file, 'correct horse batterz'));
  assert.throws(() => checkPassphrase('too short'), { code: 'usage' });
});

describe('an organisation that is being made', () => {
  async function begun(home: string) {
    const recovery = makeRecoveryKit(systemRng, { threshold: 1, count: 1 });
    const seal = (await import('@ringfence/crypto/open')).SealPrivateKey.generate(systemRng).publicKey;
    const keys = {
      custodian: profile.custodian.id,
      sign: SigningKey.generate(systemRng).publicKey,
      enrolment: SigningKey.generate(systemRng).publicKey,
      tls,
      seal,
    };
    const made = firstKeyring(
      { root, recovery, custodian: keys, device: await newDevice() },
      { clock: systemClock, rng: systemRng },
    );
    const rootKeyFile = join(home, 'root-key.sealed');
    const kitFile = join(home, 'kit.txt');
    const claim = {
      name: 'acme',
      ...made,
      orgRoot: root.publicKey,
      claimCode: 'claim',
      registration: 'one',
      rootKeyFile,
      kitFile,
    };
    return {
      claim,
      files: [
        { path: rootKeyFile, content: 'sealed' },
        { path: kitFile, content: recoveryPage(recovery, made.org) },
      ],
    };
  }

  test('has its key files and its claim on disk before anything is sent, and sends the same again', async (t) => {
    const home = temporaryFolder(t);
    const { claim, files } = await begun(home);
    const stored = storePendingClaim(home, claim, files);
    for (const { path } of files) assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(readPendingClaim(home), stored);
    assert.equal(replaceRegistration(home, stored, 'two').registration, 'two');
    assert.deepEqual(readPendingClaim(home), { ...stored, registration: 'two' });
    assert.equal(statSync(join(home, 'pending-claim.json')).mode & 0o777, 0o600);
    removePendingClaim(home);
    assert.equal(readPendingClaim(home), undefined);
    assert.ok(files.every(({ path }) => existsSync(path)));
  });

  test('never overwrites a key file, and clears away only its own after a crash', async (t) => {
    const home = temporaryFolder(t);
    const { claim, files } = await begun(home);
    const stored = storePendingClaim(home, claim, files);
    assert.throws(() => storePendingClaim(home, claim, files), { code: 'bad-file' });
    // As a crash between the first key file and the last leaves it; somebody then put their own file in place of the kit.
    writeFileSync(join(home, 'pending-claim.json'), JSON.stringify({ ...stored, ready: false }));
    writeFileSync(claim.kitFile, 'mine');
    assert.equal(readPendingClaim(home), undefined);
    assert.deepEqual([existsSync(claim.rootKeyFile), readFileSync(claim.kitFile, 'utf8')], [false, 'mine']);
    assert.equal(existsSync(join(home, 'pending-claim.json')), false);
  });

  test('takes its secrets from files and pipes, and repeats none of them', async (t) => {
    const home = temporaryFolder(t);
    const [code, passphrase] = [join(home, 'code'), join(home, 'passphrase')];
    writeFileSync(code, 'rfc1.not-a-code-but-a-secret');
    writeFileSync(passphrase, 'correct horse battery');
    const flags = ['--claim-code-file', code, '--passphrase-file', passphrase, '--kit-file', join(home, 'kit')];
    const {
      code: exit,
      stdout,
      stderr,
    } = await runCli(home, ['org', 'init', '--name', 'a', ...flags], 'registration-secret');
    assert.equal(exit, 1);
    assert.doesNotMatch(`${stdout}${stderr}`, /secret|horse/);
    const argument = await runCli(home, ['org', 'init', '--claim-code', 'x']);
    assert.equal(argument.code, 2);
    const unsafe = await runCli(home, ['org', 'init', '--name', 'a', '--json', '--claim-code-file', code]);
    assert.match(unsafe.stderr, /recovery kit needs a file/);
  });
});
