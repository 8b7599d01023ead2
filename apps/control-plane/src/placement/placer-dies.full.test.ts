import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startProcess } from '../control-plane-process.fixture.ts';
import type { MonotonicMs } from '@ringfence/base';
import { ShiftedClock, startDatabase, startReplica, temporaryFolder, until } from '../control-plane.fixture.ts';
import { offerOf, TestOrganisation } from '../organisation.fixture.ts';

const JOBS = 40;

/** Nobody's silence lasts long enough to be followed until `goOn`. */
class StillClock extends ShiftedClock {
  #still: MonotonicMs | undefined = super.monotonic();

  override monotonic(): MonotonicMs {
    return this.#still ?? super.monotonic();
  }

  goOn(): void {
    this.#still = undefined;
    this.shift(10_000);
  }
}

for (const point of ['place-before-commit', 'place-after-commit'] as const)
  test(`the replica that places dies at ${point}: the other takes the term and places every job once`, async (t) => {
    const { url: databaseUrl } = await startDatabase(t);
    const keys = temporaryFolder(t);
    const armed = join(temporaryFolder(t), 'armed');
    // The first to come holds the term.
    const placing = await startProcess(t, { state: temporaryFolder(t), keys, databaseUrl, fault: `@${armed}` });
    const house = new TestOrganisation();
    const clock = new StillClock();
    const other = await startReplica(t, { databaseUrl, keys, clock });
    const { client, agent } = await house.enrol(t, other);
    const leased: string[] = [];
    const terms = new Set<number>();
    agent.onMessage = (message) => {
      if (message.name !== 'lease') return;
      const lease = JSON.parse(Buffer.from(message.body.lease.payload, 'base64').toString()) as {
        job: string;
        attempt: number;
        term: number;
      };
      leased.push(`${lease.job} ${lease.attempt}`);
      terms.add(lease.term);
    };
    writeFileSync(armed, point);
    // Nothing fits yet, so that all of them share the transaction that the death falls into.
    await agent.send(offerOf(house.agent, { epoch: 2, cpuMilli: 100 }));
    const submitted = await Promise.all(Array.from({ length: JOBS }, () => client.submit(house.submission())));
    const jobs = submitted.map(({ job }) => job);
    for (const job of jobs) await until('it waits', async () => (await client.job(job)).waitingFor.length > 0);
    await agent.send(offerOf(house.agent, { epoch: 3, cpuMilli: JOBS * 1_000, memoryBytes: JOBS * 1e9 }));
    assert.equal((await placing.exited).signal, 'SIGKILL');
    clock.goOn();
    await until('every job is leased', () => leased.length >= JOBS);
    assert.deepEqual(leased.toSorted(), jobs.map((job) => `${job} 1`).toSorted());
    if (point === 'place-before-commit')
      assert.deepEqual([...terms], [2], 'of the transaction that died nothing is left');
    for (const job of jobs) {
      const { attempts } = await client.job(job);
      assert.deepEqual(
        attempts.map(({ attempt, state }) => [attempt, state]),
        [[1, 'leased']],
      );
      const events = await client.events(job);
      assert.equal(events.filter(({ type }) => type === 'attempt-leased').length, 1);
    }
    assert.equal((await client.agents())[0]?.freeCpuMilli, 0);
  });
