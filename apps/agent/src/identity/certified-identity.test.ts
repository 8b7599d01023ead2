import assert from 'node:assert/strict';
import { test } from 'node:test';
import { durationMs, ManualClock, newId, seededRng, silentLog } from '@ringfence/base';
import { ApiRefusal } from '@ringfence/client/api';
import { createLinkIdentity, ClientError } from '@ringfence/client/payload-link';
import { CertifyingKey, issueNamedCertificate, TlsKey } from '@ringfence/crypto/certificate';
import { SigningKey } from '@ringfence/crypto/sign';
import { CertifiedIdentity } from './certified-identity.ts';

const MINUTE = 60_000;
const rng = seededRng('certified identity');
const by = CertifyingKey.derive(SigningKey.generate(rng));
const agent = newId('agent', rng);

/** An agent, and a custodian that certifies it unless it is told what to throw. */
async function start() {
  const clock = new ManualClock();
  const key = TlsKey.generate(rng);
  const own = await createLinkIdentity({ key, clock, rng });
  const custodian: { fails: Error | undefined; asked: number; open: number } = { fails: undefined, asked: 0, open: 0 };
  const certify = async () => {
    custodian.asked += 1;
    if (custodian.fails !== undefined) throw custodian.fails;
    const of = { name: 'ringfence://o/agent/a', key: key.publicKey, issuer: 'c', clock, rng };
    const lifetimeMs = durationMs(60 * MINUTE);
    return { certificate: await issueNamedCertificate(by, { ...of, lifetime: lifetimeMs }), lifetimeMs };
  };
  const dial = () => {
    custodian.open += 1;
    return { certify, close: () => void (custodian.open -= 1) };
  };
  return { clock, own, custodian, certified: new CertifiedIdentity({ agent, own, dial, clock, rng, log: silentLog }) };
}

test('links share one certificate until half of its life, and the next one is for the same key', async () => {
  const { clock, own, custodian, certified } = await start();
  const [first, same] = await Promise.all([certified.current(), certified.current()]);
  assert.notEqual(first.tls.certificatePem, own.tls.certificatePem);
  assert.equal(first, same);
  assert.equal(first.key, own.key);
  clock.advance(26 * MINUTE);
  assert.equal(await certified.current(), first);
  assert.equal(custodian.asked, 1);
  clock.advance(8 * MINUTE);
  assert.notEqual(await certified.current(), first);
  assert.deepEqual([custodian.asked, custodian.open], [2, 0], 'and the links that renewed are closed');
});

test('a clock that is set back, or a machine that slept, makes no certificate older than it is', async () => {
  const { clock, certified } = await start();
  const first = await certified.current();
  clock.jump(-24 * 60 * MINUTE);
  clock.advance(34 * MINUTE);
  const second = await certified.current();
  assert.notEqual(second, first);
  clock.jump(34 * MINUTE);
  assert.notEqual(await certified.current(), second);
});

test('while the custodian is away the certificate is used to its end, and then nothing is dialled', async () => {
  const { clock, custodian, certified } = await start();
  const first = await certified.current();
  custodian.fails = new ClientError('unreachable', 'away');
  clock.advance(59 * MINUTE);
  assert.equal(await certified.current(), first);
  clock.advance(MINUTE);
  await assert.rejects(certified.current(), { code: 'unreachable' });
  custodian.fails = new ApiRefusal(503, 'unavailable', 'starting');
  await assert.rejects(certified.current(), { code: 'unavailable' });
  custodian.fails = undefined;
  assert.notEqual(await certified.current(), first, 'the first link after it begins with a renewal');
});

test('a custodian that gives none gets the key alone, and is asked again later', async () => {
  const { clock, own, custodian, certified } = await start();
  custodian.fails = new ApiRefusal(404, 'not-found', 'there is nothing here');
  for (let links = 0; links < 3; links += 1) assert.equal(await certified.current(), own);
  assert.equal(custodian.asked, 1);
  clock.advance(30 * MINUTE);
  custodian.fails = undefined;
  assert.notEqual(await certified.current(), own);
});

test('one that the custodian takes no more is forgotten at once', async () => {
  const { certified } = await start();
  const first = await certified.current();
  certified.lapsed();
  assert.notEqual(await certified.current(), first);
});
