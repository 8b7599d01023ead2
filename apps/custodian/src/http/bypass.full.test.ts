import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { newId, Secret, systemRng as rng } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { requestPayload, type PayloadAgent } from '@ringfence/client/payload-link';
import { TlsKey } from '@ringfence/crypto/certificate';
import { sha256Hex, SigningKey } from '@ringfence/crypto/sign';
import { nextStatement, signStatement } from '@ringfence/keyring';
import { ACTION_ASSURANCE } from '@ringfence/policy/assurance';
import type { KeyringChange } from '@ringfence/protocol/statements';
import { Secret as OtpSecret } from 'otpauth';
import { BACKUP_TABLES, readLines } from '../backup/row-lines.ts';
import type { CustodianContext } from '../context.ts';
import { joinRig } from '../fixtures/agent.fixture.ts';
import { startControlPlaneDouble, type ControlPlaneDouble } from '../fixtures/control-plane-double.fixture.ts';
import { startRig, type CustodianRig } from '../fixtures/custodian-rig.fixture.ts';
import { claimRig, type TestOrganisation } from '../fixtures/organisation.fixture.ts';
import { hotp } from '../members/hotp.ts';
import type { Route } from './route.ts';
import { routeTable } from './route-table.ts';

type Asked = Exclude<Route, { who: 'anybody' }>;
const routes = routeTable({} as CustodianContext, { claiming: () => undefined, onGrant: () => {} }).filter(
  (route): route is Asked => route.who !== 'anybody',
);

let rig: CustodianRig;
let controlPlane: ControlPlaneDouble;
let organisation: TestOrganisation;
before(async () => {
  [rig, controlPlane] = await Promise.all([startRig(), startControlPlaneDouble()]);
  organisation = await claimRig(rig, controlPlane);
});
after(async () => {
  await rig.close();
  await controlPlane.close();
});

/** Every row that a backup carries. */
async function rowsDigest(): Promise<string> {
  return rig.custodian.context.store.withOrg(
    organisation.org,
    async (tx) => {
      const parts: Uint8Array[] = [];
      for (const table of BACKUP_TABLES) parts.push(await readLines(tx, table));
      return sha256Hex(Buffer.concat(parts));
    },
    { isolation: 'repeatable read', readOnly: true },
  );
}

async function append(change: KeyringChange): Promise<void> {
  const { keyring } = rig.custodian.context.owner.claimed ?? assert.fail();
  const statement = signStatement('keyring', nextStatement(keyring, change, clock.now()), [organisation.root]);
  await organisation.client.appendStatement(statement);
}

async function ask(links: PayloadAgent, { method, path, body }: Asked, large = false) {
  const json = large ? { padding: 'x'.repeat(9 * 1_048_576) } : {};
  const sent = body === 'stream' ? { stream: Readable.from([]) } : { json };
  const call = { method, path: path.replaceAll(/:[a-z]+/gi, 'nothing'), ...(method === 'GET' ? {} : { body: sent }) };
  return requestPayload(links, call);
}

function codeOf({ body }: { body: unknown }): string {
  return (body as { error: { code: string } }).error.code;
}

/** Asks each of `at` over `links`, and expects the one answer everywhere and no row changed. */
async function refuses(links: PayloadAgent, at: readonly Asked[], wanted: readonly [number, string]): Promise<void> {
  assert.ok(at.length > 5);
  const rows = await rowsDigest();
  for (const route of at) {
    const answer = await ask(links, route);
    assert.deepEqual([answer.status, codeOf(answer)], wanted, `${route.method} ${route.path}`);
  }
  assert.equal(await rowsDigest(), rows, 'nothing was changed');
}

test('every route answers who is no member, and whom it is not for, with one refusal', async (t) => {
  const agent = await joinRig(rig, organisation);
  // An open code lets strangers open links at all.
  await organisation.client.makeJoinCode({ name: 'n', site: 's', tier: 'private', validMs: 600_000 });
  const refused = [401, 'not-authenticated'] as const;
  await t.test('a stranger', async () => refuses(await rig.links(TlsKey.generate(rng)), routes, refused));
  await t.test('an agent at the routes of devices', async () =>
    refuses(
      await rig.links(agent.tls),
      routes.filter(({ who }) => !who.includes('agent')),
      refused,
    ),
  );
  await t.test('an agent that has had a certificate and shows none, at all but the route of the next one', async () => {
    const certified = await joinRig(rig, organisation, 'node-2');
    await certified.client.certify(certified.id);
    await refuses(
      await rig.links(certified.tls),
      routes.filter(({ who, uncertified }) => who.includes('agent') && uncertified !== true),
      [401, 'certificate-lapsed'],
    );
    assert.equal(routes.filter(({ uncertified }) => uncertified === true).length, 1);
  });
  await t.test('a device at the routes of agents', async () =>
    refuses(
      await rig.links(organisation.tls),
      routes.filter(({ who }) => !who.includes('device')),
      refused,
    ),
  );
  await t.test('a device without any role', async () => {
    const [device, tls] = [newId('device', rng), TlsKey.generate(rng)];
    await append({ kind: 'add-device', device, sign: SigningKey.generate(rng).publicKey, tls: tls.publicKey });
    const forDevices = routes.filter(({ who }) => who.includes('device'));
    await refuses(await rig.links(tls), forDevices, [403, 'not-authorised']);
  });
  await t.test('a device that was removed, over a link that it had open', async () => {
    const [device, tls] = [newId('device', rng), TlsKey.generate(rng)];
    await append({ kind: 'add-device', device, sign: SigningKey.generate(rng).publicKey, tls: tls.publicKey });
    await append({ kind: 'bind-role', device, role: 'owner' });
    const links = await rig.links(tls);
    assert.equal((await requestPayload(links, { method: 'GET', path: '/v1/status' })).status, 200);
    await append({ kind: 'remove', subject: device, reason: 'lost' });
    const rows = await rowsDigest();
    for (const route of routes.filter(({ who }) => who.includes('device')))
      await assert.rejects(ask(links, route), { code: 'link-refused' }, `${route.method} ${route.path}`);
    assert.equal(await rowsDigest(), rows);
  });
  await t.test('a device that was locked, over a link that it had open', async () => {
    const [device, tls] = [newId('device', rng), TlsKey.generate(rng)];
    await append({ kind: 'add-device', device, sign: SigningKey.generate(rng).publicKey, tls: tls.publicKey });
    await append({ kind: 'bind-role', device, role: 'ml-engineer' });
    const links = await rig.links(tls);
    assert.equal((await requestPayload(links, { method: 'GET', path: '/v1/jobs' })).status, 200);
    await organisation.client.locks.set({ kind: 'device', device });
    const rows = await rowsDigest();
    for (const route of routes.filter(({ who }) => who.includes('device')))
      await assert.rejects(ask(links, route), { code: 'link-refused' }, `${route.method} ${route.path}`);
    assert.equal(await rowsDigest(), rows);
  });
  await t.test('a device that nobody stepped up, where an owner has factors', async () => {
    const [device, tls] = [newId('device', rng), TlsKey.generate(rng)];
    await append({ kind: 'add-device', device, sign: SigningKey.generate(rng).publicKey, tls: tls.publicKey });
    await append({ kind: 'bind-role', device, role: 'owner' });
    const { access } = organisation.client;
    const secret = new Secret(new Uint8Array(OtpSecret.fromBase32(await access.beginTotp()).buffer));
    await access.confirmTotp(hotp(secret, Math.floor(clock.now() / 30_000)));
    const asking = routes.filter(
      ({ who, action, assured }) =>
        who.includes('device') && assured !== 'by-handler' && ACTION_ASSURANCE[action].level > 1,
    );
    await refuses(await rig.links(tls), asking, [401, 'step-up']);
  });
  await t.test('a body that is too large', async () => {
    const links = await rig.links(organisation.tls);
    const rows = await rowsDigest();
    const said: (number | string)[] = [];
    for (const route of routes.filter(
      ({ method, body, who }) => method === 'POST' && body !== 'stream' && who.includes('device'),
    )) {
      if (route.body === undefined) continue;
      // The link is closed under whoever goes on sending.
      const status = await ask(links, route, true).then(
        (answer) => answer.status,
        ({ code }: { code: string }) => code,
      );
      assert.ok(status === 413 || status === 'unreachable' || status === 'bad-response', `${status}: ${route.path}`);
      said.push(status);
    }
    assert.ok(said.length > 5 && said.includes(413), said.join());
    assert.equal(await rowsDigest(), rows);
  });
});
