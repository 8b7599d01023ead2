import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { cleanUp, startDatabase, startReplica, until } from '../control-plane.fixture.ts';
import { codeOf, TestOrganisation } from '../organisation.fixture.ts';
import { printCode } from '../registration/print-code.fixture.ts';
import { openStore } from '../store/open-store.ts';
import { sendRaw, signedRaw } from './raw-request.fixture.ts';

test('submissions of one organisation that wait delay no other, and die with their device', async (t) => {
  const database = await startDatabase(t);
  const controlPlane = await startReplica(t, { databaseUrl: database.url });
  const [busy, other] = [new TestOrganisation(), new TestOrganisation()];
  await busy.enrol(t, controlPlane, codeOf(controlPlane));
  await other.enrol(t, controlPlane, await printCode(t, controlPlane, database.url));
  const { store, close } = await openStore({ stateDir: database.stateDir, url: database.url, clock, log: silentLog });
  cleanUp(t, close);
  const submit = (house: TestOrganisation) =>
    sendRaw(
      controlPlane,
      signedRaw(house, clock, {
        method: 'POST',
        path: '/v1/jobs',
        value: house.submission({ placement: { isolation: 'microvm' } }),
      }),
    );
  const spent = (): Promise<number> =>
    store.withOrg(busy.org, async (tx) => (await tx.selectFrom('spent_nonce').select('nonce').execute()).length);

  const [locked, letGo] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  cleanUp(t, letGo.resolve);
  const held = store.withOrg(busy.org, async (tx) => {
    await tx.selectFrom('organisation').select('org').forUpdate().execute();
    locked.resolve();
    await letGo.promise;
    await tx.updateTable('party').set({ removed: true }).where('id', '=', busy.device.id).execute();
  });
  await locked.promise;
  let answered = 0;
  const flood = Array.from({ length: 48 }, async () => {
    const { status } = await submit(busy);
    answered += 1;
    return status;
  });
  await until('the first are worked on', async () => (await spent()) >= 4);
  assert.equal((await submit(other)).status, 200);
  assert.equal((await submit(other)).status, 200);
  assert.deepEqual([answered, await spent()], [0, 4]);
  letGo.resolve();
  await held;
  const statuses = await Promise.all(flood);
  assert.deepEqual(
    [200, 401].map((wanted) => statuses.filter((status) => status === wanted).length),
    [4, 44],
  );
});
