import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startDatabase, startReplica, until } from '../control-plane.fixture.ts';
import { TestOrganisation } from '../organisation.fixture.ts';
import { printCode } from '../registration/print-code.fixture.ts';

const NOWHERE = { resources: { cpuMilli: 900_000, memoryBytes: 16_000_000, diskBytes: 0, hardLimits: false } };

test('as many jobs of one organisation wait as may; one more changes nothing, and another organisation goes on', async (t) => {
  const { url: databaseUrl } = await startDatabase(t);
  const target = await startReplica(t, { databaseUrl, mostWaiting: 4 });
  const [full, other] = [new TestOrganisation(), new TestOrganisation()];
  const { client } = await full.enrol(t, target);
  const next = () => full.submission({ placement: NOWHERE });
  const waiting = [next(), next(), next(), next()] as const;
  for (const submission of waiting) await client.submit(submission);
  const more = next();
  for (let again = 0; again < 2; again += 1) await assert.rejects(client.submit(more), { code: 'too-much' });
  assert.equal((await client.jobs()).length, 4);
  // What is known is answered as ever.
  const known = await client.submit(waiting[3]);
  const house = await other.enrol(t, target, await printCode(t, target, databaseUrl));
  await house.client.submit(other.submission({ placement: NOWHERE }));
  await client.stop(known.job, 1_000);
  await until('there is room for one more', async () => {
    const answer = await client.submit(more).catch(({ code }: { code: string }) => code);
    return typeof answer === 'object' || (assert.equal(answer, 'too-much'), false);
  });
  await assert.rejects(client.submit(next()), { code: 'too-much' });
});
