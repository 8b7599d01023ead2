import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ManualClock, systemRng } from '@ringfence/base';
import { certificateFingerprint } from '@ringfence/crypto/certificate';
import { givenCertificate, ownCertificate } from './server-certificate.ts';

const DAY = 86_400_000;

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'relay-certificate-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

test('the authority is made once, its key is private, and the certificate stays until it has to change', async (t) => {
  const [state, clock] = [folder(t), new ManualClock()];
  const own = (names: string[]) => ownCertificate({ state, names, clock, rng: systemRng });
  const first = await own(['relay.test']);
  assert.equal(statSync(join(state, 'ca-key.pem')).mode & 0o777, 0o600);
  assert.equal(statSync(join(state, 'server-key.pem')).mode & 0o777, 0o600);
  assert.equal(first.caFingerprint, certificateFingerprint(readFileSync(first.caFile ?? '')));
  const again = await own(['relay.test']);
  assert.equal(again.certificatePem, first.certificatePem);
  const named = await own(['relay.test', '[::1]', '10.0.0.1']);
  assert.notEqual(named.certificatePem, first.certificatePem);
  assert.equal(new X509Certificate(named.certificatePem).checkIP('::1'), '::1');
  clock.advance(360 * DAY);
  assert.equal((await own(['relay.test'])).certificatePem, named.certificatePem);
  clock.advance(8 * DAY);
  const renewed = await own(['relay.test']);
  assert.notEqual(renewed.certificatePem, named.certificatePem);
  assert.equal(renewed.caFingerprint, first.caFingerprint);
});

test('a pair that a crash left torn is made anew', async (t) => {
  const [state, clock] = [folder(t), new ManualClock()];
  const own = () => ownCertificate({ state, names: ['relay.test'], clock, rng: systemRng });
  const first = await own();
  writeFileSync(join(state, 'server-key.pem'), readFileSync(join(state, 'ca-key.pem')));
  const second = await own();
  assert.notEqual(second.certificatePem, first.certificatePem);
  writeFileSync(join(state, 'server.pem'), 'torn');
  assert.notEqual((await own()).certificatePem, second.certificatePem);
  rmSync(join(state, 'server.pem'));
  assert.equal((await own()).caFingerprint, first.caFingerprint);
});

test('a given certificate is read as it is, or refused', async (t) => {
  const [state, clock] = [folder(t), new ManualClock()];
  const own = await ownCertificate({ state, names: ['relay.test'], clock, rng: systemRng });
  const given = givenCertificate(join(state, 'server.pem'), join(state, 'server-key.pem'));
  assert.deepEqual([given.certificatePem, given.caFile], [own.certificatePem, null]);
  assert.throws(() => givenCertificate(join(state, 'none.pem'), join(state, 'server-key.pem')), {
    code: 'bad-certificate',
  });
});
