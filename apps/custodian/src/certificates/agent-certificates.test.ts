import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { after, before, test } from 'node:test';
import { durationMs, epochMs, systemRng as rng, type Clock, type MonotonicMs } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { CustodianClient } from '@ringfence/client/custodian';
import { payloadAgent, requestPayload, storedLinkIdentity, type PayloadAgent } from '@ringfence/client/payload-link';
import { CertifyingKey, issueNamedCertificate } from '@ringfence/crypto/certificate';
import { SigningKey } from '@ringfence/crypto/sign';
import { joinRig, type TestAgent } from '../fixtures/agent.fixture.ts';
import { startControlPlaneDouble, type ControlPlaneDouble } from '../fixtures/control-plane-double.fixture.ts';
import { startRig, type CustodianRig } from '../fixtures/custodian-rig.fixture.ts';
import { claimRig, type TestOrganisation } from '../fixtures/organisation.fixture.ts';

let rig: CustodianRig;
let controlPlane: ControlPlaneDouble;
let organisation: TestOrganisation;
const opened: PayloadAgent[] = [];
const ahead = { by: 0 };
const clock: Clock = { ...systemClock, now: () => epochMs(systemClock.now() + ahead.by) };
const HOUR = 3_600_000;

before(async () => {
  [rig, controlPlane] = await Promise.all([startRig({ clock }), startControlPlaneDouble()]);
  organisation = await claimRig(rig, controlPlane);
});
after(async () => {
  for (const links of opened) links.destroy();
  await rig.close();
  await controlPlane.close();
});

function under({ tls }: TestAgent, certificate: string): PayloadAgent {
  const links = rig.linksUnder(tls, certificate);
  opened.push(links);
  return links;
}

async function plain({ tls }: TestAgent): Promise<PayloadAgent> {
  const links = await rig.links(tls);
  opened.push(links);
  return links;
}

/** What an agent hears when it asks for the keyring: `ok`, or the code of the refusal. */
async function hears(links: PayloadAgent): Promise<string> {
  const { status, body } = await requestPayload(links, { method: 'GET', path: '/v1/keyring?after=0' });
  return status === 200 ? 'ok' : (body as { error: { code: string } }).error.code;
}

async function certify(agent: TestAgent, links?: PayloadAgent): Promise<string> {
  const path = `/v1/agents/${agent.id}/certificate`;
  const { status, body } = await requestPayload(links ?? (await plain(agent)), { method: 'POST', path });
  assert.equal(status, 200);
  return (body as { certificate: string }).certificate;
}

async function certifiedEvents(): Promise<number> {
  const rows = await rig.custodian.context.store.withOrg(organisation.org, (tx) =>
    tx.selectFrom('event').select('seq').where('type', '=', 'agent-certified').execute(),
  );
  return rows.length;
}

test('an agent goes by its key until it is given a certificate, and by certificates from then on', async () => {
  const agent = await joinRig(rig, organisation, 'node-1');
  const before = await certifiedEvents();
  assert.equal(await hears(await plain(agent)), 'ok', 'as agents of earlier releases do');
  const certificate = await certify(agent);
  const parsed = new X509Certificate(certificate);
  assert.equal(parsed.subjectAltName, `URI:ringfence://${organisation.org}/agent/${agent.id}`);
  const until = parsed.validToDate.getTime();
  assert.ok(until > clock.now() + HOUR - 60_000 && until <= clock.now() + HOUR, 'for an hour');
  assert.equal(await hears(await plain(agent)), 'certificate-lapsed');
  assert.equal(await hears(under(agent, certificate)), 'ok');
  await certify(agent, under(agent, certificate));
  assert.equal(await certifiedEvents(), before + 1, 'written down once');
});

test('a certificate ends after an hour, also on a link that is open, and the key alone opens the way to the next', async (t) => {
  t.after(() => (ahead.by = 0));
  const agent = await joinRig(rig, organisation, 'node-2');
  const certificate = await certify(agent);
  const open = under(agent, certificate);
  assert.equal(await hears(open), 'ok');
  ahead.by = HOUR - 60_000;
  assert.equal(await hears(open), 'ok');
  ahead.by = HOUR + 1_000;
  assert.equal(await hears(open), 'certificate-lapsed');
  assert.equal(await hears(under(agent, await certify(agent, open))), 'ok', 'over the very link that lapsed');
  ahead.by = -HOUR;
  assert.equal(await hears(under(agent, certificate)), 'certificate-lapsed', 'before its time');
});

test('a client whose certificate has lapsed renews it and asks again, and opens a link anew when it is told to', async (t) => {
  t.after(() => (ahead.by = 0));
  const agent = await joinRig(rig, organisation, 'node-8');
  const held = { certificate: await certify(agent), dialled: 0 };
  const later = { by: 0 };
  const links = payloadAgent({
    ...(await plain(agent)).dial,
    identity: async () => {
      held.dialled += 1;
      return storedLinkIdentity(agent.tls, held.certificate);
    },
    clock: { ...systemClock, monotonic: () => (systemClock.monotonic() + later.by) as MonotonicMs },
    renewAfter: 1_000_000,
  });
  opened.push(links);
  const lapses: string[] = [];
  const client = new CustodianClient(links, () => lapses.push('lapsed'));
  await client.keyring(0);
  await client.keyring(0);
  assert.equal(held.dialled, 1, 'one link serves both');
  later.by = 1_000_000;
  await client.keyring(0);
  await client.keyring(0);
  assert.equal(held.dialled, 2, 'the old one served what had begun, and nothing after it');
  ahead.by = HOUR + 1_000;
  held.certificate = await certify(agent);
  await client.keyring(0);
  assert.deepEqual([held.dialled, lapses], [3, ['lapsed']]);
  ahead.by = 2 * HOUR + 2_000;
  await assert.rejects(client.keyring(0), { code: 'certificate-lapsed', status: 401 }, 'once, not for ever');
});

test('only this custodian’s word counts, and only about the agent that shows it', async () => {
  const [one, other] = [await joinRig(rig, organisation, 'node-4'), await joinRig(rig, organisation, 'node-5')];
  await certify(one);
  const forge = (by: CertifyingKey, named: TestAgent): Promise<string> =>
    issueNamedCertificate(by, {
      name: `ringfence://${organisation.org}/agent/${named.id}`,
      key: one.tls.publicKey,
      issuer: rig.keys.id,
      lifetime: durationMs(HOUR),
      clock,
      rng,
    });
  const own = CertifyingKey.derive(rig.keys.sign);
  assert.equal(await hears(under(one, await forge(own, one))), 'ok', 'the forgery is the real thing but for its key');
  assert.equal(
    await hears(under(one, await forge(CertifyingKey.derive(SigningKey.generate(rng)), one))),
    'certificate-lapsed',
  );
  assert.equal(await hears(under(one, await forge(own, other))), 'certificate-lapsed', 'it names another');
  const path = `/v1/agents/${other.id}/certificate`;
  const { status } = await requestPayload(await plain(one), { method: 'POST', path });
  assert.equal(status, 403, 'an agent is certified by itself alone');
});

test('a lock or a removal ends it at once, and what opens the way to the next', async () => {
  const [locked, gone] = [await joinRig(rig, organisation, 'node-6'), await joinRig(rig, organisation, 'node-7')];
  const [lockedLinks, goneLinks] = [under(locked, await certify(locked)), under(gone, await certify(gone))];
  await organisation.client.locks.set({ kind: 'agent', agent: locked.id });
  await organisation.client.removeAgent(gone.id, { reason: 'lost' });
  for (const links of [lockedLinks, goneLinks]) await assert.rejects(hears(links), { code: 'link-refused' });
  for (const agent of [locked, gone]) await assert.rejects(certify(agent), { code: 'link-refused' });
});

// The last one: clients of before would look for it at its old address.
test('certificates of before a restart count after it, and an agent that had one still needs one', async () => {
  const agent = await joinRig(rig, organisation, 'node-3');
  const certificate = await certify(agent);
  await rig.restart();
  assert.equal(await hears(await plain(agent)), 'certificate-lapsed');
  assert.equal(await hears(under(agent, certificate)), 'ok');
});
