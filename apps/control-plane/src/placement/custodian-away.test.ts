import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ShiftedClock, startDatabase, startReplica, until } from '../control-plane.fixture.ts';
import { TestOrganisation } from '../organisation.fixture.ts';

test('no lease while the custodian is away: the job waits, says why, costs no attempt, and starts when it is back', async (t) => {
  const { url: databaseUrl } = await startDatabase(t);
  const clock = new ShiftedClock();
  const controlPlane = await startReplica(t, { databaseUrl, clock });
  const org = new TestOrganisation();
  const { client, custodian, agent } = await org.enrol(t, controlPlane);
  // A link that is up is not away, however long ago it said hello.
  clock.jump(50_000);
  const running = await client.submit(org.submission());
  await until('a lease', async () => (await client.job(running.job)).state === 'leased');
  await custodian.close();
  let job = running.job;
  const waitsFor = async () => (await client.job(job)).waitingFor;
  // Until the end of its link has been taken, jobs are still leased.
  await until('a job waits', async () => {
    ({ job } = await client.submit(org.submission()));
    await until(
      'it was looked at',
      async () => (await client.job(job)).state === 'leased' || (await waitsFor()).length > 0,
    );
    return (await client.job(job)).state === 'queued';
  });
  assert.deepEqual(await waitsFor(), [{ constraint: 'custodian-away', count: 1 }]);
  assert.equal((await client.job(running.job)).state, 'leased', 'what has its lease goes on');
  const leased = (): boolean =>
    agent.messages.some(({ name, body }) => name === 'lease' && JSON.stringify(body).includes(job));
  assert.ok(!leased());
  org.dial(t, controlPlane, 'custodian', { folder: custodian.folder });
  await until('it is leased', async () => (await client.job(job)).state === 'leased');
  assert.equal((await client.job(job)).attempts.length, 1);
});
