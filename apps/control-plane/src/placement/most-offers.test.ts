import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { cleanUp, startDatabase, startReplica, temporaryFolder, until } from '../control-plane.fixture.ts';
import { memberOf, newAgent, offerOf, TestOrganisation } from '../organisation.fixture.ts';
import { openStore } from '../store/open-store.ts';
import { isFull } from './replace-offer.ts';

test('an organisation’s own offers count towards the most that it may have', async (t) => {
  const { url } = await startDatabase(t);
  const controlPlane = await startReplica(t, { databaseUrl: url });
  const [org, other] = [new TestOrganisation(), new TestOrganisation()];
  const { client, custodian } = await org.enrol(t, controlPlane);
  const second = newAgent();
  await custodian.send(memberOf(second));
  await org.dial(t, controlPlane, second).send(offerOf(second));
  await until('there are two', async () => (await client.offers()).length === 2);
  const stateDir = temporaryFolder(t);
  const { store, close } = await openStore({ stateDir, url, clock: systemClock, log: silentLog });
  cleanUp(t, close);
  const fullAt = (of: TestOrganisation, most: number) => store.withOrg(of.org, (tx) => isFull(tx, most));
  assert.deepEqual([await fullAt(org, 2), await fullAt(org, 3), await fullAt(other, 1)], [true, false, false]);
});
