import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { createLog, newId, systemRng as rng, toBase64Url } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { requestPayload, type PayloadAgent } from '@ringfence/client/payload-link';
import { TlsKey } from '@ringfence/crypto/certificate';
import { SigningKey } from '@ringfence/crypto/sign';
import { nextStatement, signStatement } from '@ringfence/keyring';
import { ACTIONS } from '@ringfence/policy/authorise';
import { roleMatrix } from '@ringfence/policy/role-matrix';
import { KEYRING_ROLES, type KeyringChange } from '@ringfence/protocol/statements';
import type { CustodianContext } from '../context.ts';
import { startControlPlaneDouble, type ControlPlaneDouble } from '../fixtures/control-plane-double.fixture.ts';
import { startRig, type CustodianRig } from '../fixtures/custodian-rig.fixture.ts';
import { claimRig, type TestOrganisation } from '../fixtures/organisation.fixture.ts';
import { routeTable } from './route-table.ts';

const { permits } = roleMatrix();
const lines: string[] = [];
const log = createLog({ role: 'custodian', clock, write: (line) => lines.push(line) });

let rig: CustodianRig;
let controlPlane: ControlPlaneDouble;
let organisation: TestOrganisation;
before(async () => {
  [rig, controlPlane] = await Promise.all([startRig({ log }), startControlPlaneDouble()]);
  organisation = await claimRig(rig, controlPlane);
});
after(async () => {
  await rig.close();
  await controlPlane.close();
});

async function append(change: KeyringChange): Promise<void> {
  const { keyring } = rig.custodian.context.owner.claimed ?? assert.fail();
  const statement = signStatement('keyring', nextStatement(keyring, change, clock.now()), [organisation.root]);
  await organisation.client.appendStatement(statement);
}

/** A new device of the organisation, and links that it opened. */
async function addDevice(roles: readonly (typeof KEYRING_ROLES)[number][]): Promise<PayloadAgent> {
  const [device, tls] = [newId('device', rng), TlsKey.generate(rng)];
  await append({ kind: 'add-device', device, sign: SigningKey.generate(rng).publicKey, tls: tls.publicKey });
  for (const role of roles) await append({ kind: 'bind-role', device, role });
  return rig.links(tls);
}

/** Whether the policies refuse; any other answer says that they did not. */
async function isRefused(links: PayloadAgent, method: 'GET' | 'POST', path: string, stream: boolean): Promise<boolean> {
  const body = stream ? { stream: Readable.from([]) } : { json: {} };
  const answer = await requestPayload(links, { method, path, ...(method === 'GET' ? {} : { body }) }).catch(
    (error: { code?: unknown }) =>
      error.code === 'bad-response' ? { status: 200, body: {} } : assert.fail(JSON.stringify(error)),
  );
  if (answer.status !== 403) return false;
  assert.match(JSON.stringify(answer.body), /not-authorised.*no role of this device permits/);
  return true;
}

test('each route of the live payload API answers each role as docs/roles.md says', async () => {
  const parts = { claiming: () => undefined, onGrant: () => {} };
  const routes = routeTable({} as CustodianContext, parts).flatMap((route) =>
    route.who !== 'anybody' && route.who.includes('device') ? [route] : [],
  );
  assert.ok(routes.length > 30);
  for (const role of [...KEYRING_ROLES, undefined]) {
    const links = await addDevice(role === undefined ? [] : [role]);
    for (const { method, path, action, body } of routes) {
      assert.ok(ACTIONS[action].principals.some((type) => type === 'Device'));
      const wanted = role !== undefined && permits(action, role);
      const refused = await isRefused(links, method, path.replaceAll(/:[a-z]+/gi, 'nothing'), body === 'stream');
      assert.equal(refused, !wanted, `${role ?? 'no role'}: ${method} ${path} (${action})`);
    }
    links.destroy();
  }
  const told = lines.find((line) => line.includes('not-authorised')) ?? assert.fail('refusals stand in the log');
  assert.match(
    told,
    /"event":"api.refused",.*"peer":"dev_[a-z2-7]{26}","route":"(GET|POST) \/v1\/[a-z/:-]+","status":403/,
  );
});

test('whoever may store gets the dedupe key; whoever may only look at the custodian does not', async () => {
  const { dedupe } = rig.custodian.context.keys;
  for (const [role, wanted] of [
    ['ml-engineer', 200],
    ['data-owner', 200],
    ['operator', 403],
    ['auditor', 403],
  ] as const) {
    const links = await addDevice([role]);
    const { status, body } = await requestPayload(links, { method: 'GET', path: '/v1/dedupe-key' });
    assert.equal(status, wanted, role);
    if (wanted === 200) assert.deepEqual(body, { dedupeKey: toBase64Url(dedupe.expose()) });
    links.destroy();
  }
  assert.equal((await organisation.client.status()).dedupeKey, undefined);
});
