import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { cleanUp, ShiftedClock, startDatabase, startReplica, until } from '../control-plane.fixture.ts';
import { codeOf, TestOrganisation } from '../organisation.fixture.ts';
import { printCode } from '../registration/print-code.fixture.ts';
import { openStore } from '../store/open-store.ts';

test('an organisation whose attempts cannot be ended keeps nobody else’s from being called lost', async (t) => {
  const { url, stateDir } = await startDatabase(t);
  const clock = new ShiftedClock();
  const controlPlane = await startReplica(t, { databaseUrl: url, clock });
  const leased = [];
  for (const code of [codeOf(controlPlane), await printCode(t, controlPlane, url)]) {
    const house = new TestOrganisation(clock);
    const { client, agent } = await house.enrol(t, controlPlane, code);
    const { job } = await client.submit(house.submission());
    await until('a lease', () => agent.messages.some(({ name }) => name === 'lease'));
    await agent.close();
    leased.push({ house, client, job });
  }
  const [broken = assert.fail(), sound = assert.fail()] = leased;
  const { store, close } = await openStore({ stateDir, url, clock: systemClock, log: silentLog });
  cleanUp(t, close);
  await store.withOrg(broken.house.org, (tx) => tx.updateTable('offer').set({ body: '{}' }).execute());
  await until('lost', async () => {
    clock.shift(1_000);
    return (await sound.client.job(sound.job)).attempts[0]?.state === 'expired';
  });
  assert.equal((await broken.client.job(broken.job)).attempts[0]?.state, 'leased');
});
