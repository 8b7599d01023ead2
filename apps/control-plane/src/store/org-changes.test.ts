import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog, type OrgId } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { cleanUp, startDatabase, startReplica } from '../control-plane.fixture.ts';
import { codeOf, TestOrganisation } from '../organisation.fixture.ts';
import { printCode } from '../registration/print-code.fixture.ts';
import { openStore } from './open-store.ts';
import { OrgChanges } from './org-changes.ts';

test('changes of one organisation that wait leave connections to the others', async (t) => {
  const database = await startDatabase(t);
  const controlPlane = await startReplica(t, { databaseUrl: database.url });
  const orgs: OrgId[] = [];
  for (const code of [codeOf(controlPlane), await printCode(t, controlPlane, database.url)]) {
    const organisation = new TestOrganisation();
    await organisation.client(t, controlPlane, 'nobody').register(organisation.registration(code));
    orgs.push(organisation.org);
  }
  const [busy = assert.fail(), other = assert.fail()] = orgs;
  const { store, close } = await openStore({
    stateDir: database.stateDir,
    url: database.url,
    clock: systemClock,
    log: silentLog,
  });
  cleanUp(t, close);
  const changes = new OrgChanges(store, 'test');
  const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
  const order: number[] = [];
  const waiting = Array.from({ length: 40 }, (_, index) =>
    changes.run(busy, async () => {
      if (index === 0) await held;
      order.push(index);
      if (index === 1) throw new RangeError('one fails');
    }),
  );
  const settled = Promise.allSettled(waiting);
  assert.equal(await changes.run(other, async () => 'done'), 'done');
  assert.deepEqual(order, []);
  letGo();
  assert.equal((await settled).filter(({ status }) => status === 'rejected').length, 1);
  assert.deepEqual(order, [...waiting.keys()]);
});
