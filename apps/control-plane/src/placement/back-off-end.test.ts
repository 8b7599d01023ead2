// A clock that was ahead for a moment keeps no job waiting until its time really comes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ShiftedClock, startDatabase, startReplica, until } from '../control-plane.fixture.ts';
import { TestOrganisation } from '../organisation.fixture.ts';

const AHEAD_MS = 600_000;

test('a job that was put off while the clock was ten minutes ahead is tried again when the clock is right', async (t) => {
  const clock = new ShiftedClock();
  const controlPlane = await startReplica(t, { databaseUrl: (await startDatabase(t)).url, clock });
  const org = new TestOrganisation(clock);
  const { client, agent } = await org.enrol(t, controlPlane);
  const { job } = await client.submit(org.submission({ maxAttempts: 2 }));
  const leases = (): number => agent.messages.filter(({ name }) => name === 'lease').length;
  await until('the first lease', () => leases() === 1);
  clock.shift(AHEAD_MS);
  // Nothing but the time ends this wait: no offer changes.
  await agent.send({ name: 'attempt-status', body: { job, attempt: 1, state: 'refused', refusal: 'capacity' } });
  await until('it is put off', async () => (await client.job(job)).retry !== null);
  const { retry } = await client.job(job);
  assert.ok((retry?.at ?? 0) > clock.now(), 'its time has not come by that clock either');
  clock.shift(-AHEAD_MS);
  await until('the second lease', () => leases() === 2);
});
