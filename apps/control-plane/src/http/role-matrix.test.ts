import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId, systemRng } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { SigningKey } from '@ringfence/crypto/sign';
import { roleMatrix } from '@ringfence/policy/role-matrix';
import { KEYRING_ROLES } from '@ringfence/protocol/statements';
import { startDatabase, startReplica, until } from '../control-plane.fixture.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { memberOf, TestOrganisation } from '../organisation.fixture.ts';
import { sendRaw, signedRaw } from './raw-request.fixture.ts';
import { routeTable } from './route-table.ts';

const { permits } = roleMatrix();
const newDevice = () => ({ device: { id: newId('device', systemRng), sign: SigningKey.generate(systemRng) } });

test('each route of the live API answers each role as docs/roles.md says', async (t) => {
  const database = await startDatabase(t);
  const controlPlane = await startReplica(t, { databaseUrl: database.url });
  const house = new TestOrganisation();
  const { custodian } = await house.enrol(t, controlPlane);
  const status = async (who: ReturnType<typeof newDevice>, method: string, path: string): Promise<number> => {
    const sent = method === 'GET' ? {} : { value: {} };
    const { status: code, text } = await sendRaw(
      controlPlane,
      signedRaw(who, clock, { method: method as 'GET', path, ...sent }),
    );
    if (code === 403) assert.match(text, /no role of this device permits/, `${method} ${path}`);
    return code;
  };
  const mayList = async (who: ReturnType<typeof newDevice>) => (await status(who, 'GET', '/v1/jobs')) === 200;

  await t.test('a custodian that says nothing of roles has owners, as before', async () => {
    const { device } = newDevice();
    await custodian.send(memberOf(device));
    await until('the device is known', () => mayList({ device }));
    assert.equal(await status({ device }, 'GET', '/v1/agents'), 200);
  });

  const devices = [...KEYRING_ROLES, undefined].map((role) => ({ role, ...newDevice() }));
  for (const [seq, { device, role }] of devices.entries()) {
    await custodian.send(memberOf(device));
    const roles = role === undefined ? [] : [{ role }];
    await custodian.send({ name: 'device-roles', body: { device: device.id, keyringSeq: 10 + seq, roles } });
  }
  const told = devices.find(({ role }) => role === 'auditor') ?? assert.fail();
  await until('all roles are known', async () => (await mayList(told)) && !(await mayList(devices.at(-1) ?? told)));

  await t.test('role × route', async () => {
    const routes = routeTable({} as ControlPlaneContext, 'test').flatMap((route) =>
      route.action === 'public' || route.action === 'account' ? [] : [{ ...route, action: route.action }],
    );
    assert.ok(routes.length > 10);
    for (const { method, path, action } of routes) {
      const asked = path.replaceAll(':job', newId('job', systemRng)).replaceAll(/:[a-z]+/g, 'nobody');
      for (const { role, device } of devices) {
        const wanted = role !== undefined && permits(action, role);
        const refused = (await status({ device }, method, asked)) === 403;
        assert.equal(refused, !wanted, `${role ?? 'no role'}: ${method} ${path} (${action})`);
      }
    }
  });

  await t.test('an older word on a device’s roles undoes no newer one', async () => {
    const { device } = told;
    const tell = (keyringSeq: number, role: 'owner' | 'provider') =>
      custodian.send({ name: 'device-roles', body: { device: device.id, keyringSeq, roles: [{ role }] } });
    await tell(9, 'owner');
    await tell(30, 'provider');
    await until('the newer word counts', async () => !(await mayList({ device })));
    await tell(29, 'owner');
    const marker = newDevice();
    await custodian.send(memberOf(marker.device));
    await custodian.send({
      name: 'device-roles',
      body: { device: marker.device.id, keyringSeq: 31, roles: [{ role: 'owner' }] },
    });
    await until('all was taken', () => mayList(marker));
    assert.equal(await mayList({ device }), false);
  });
});
