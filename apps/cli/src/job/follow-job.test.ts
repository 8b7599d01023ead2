import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs, ManualClock, newId, systemRng, type RingfenceError } from '@ringfence/base';
import { ApiRefusal } from '@ringfence/client/api';
import { ClientError } from '@ringfence/client/error';
import type { JobView } from '@ringfence/protocol/api';
import type { Refusal } from '@ringfence/protocol/messages';
import type { CommandContext } from '../command.ts';
import type { Session } from '../session.ts';
import { followJob } from './follow-job.ts';

const job = newId('job', systemRng);
const agent = newId('agent', systemRng);

type Step = {
  state: JobView['state'];
  waits?: [string, number][];
  attempts?: [number, string, Refusal?][];
  fails?: RingfenceError;
};

/** Follows a job whose control plane answers with these steps, and whose agents cannot be reached; time passes by itself. */
async function follow(steps: readonly Step[]) {
  const notes: string[] = [];
  let asked = 0;
  let links = 0;
  const clock = new ManualClock(epochMs(1_800_000_000_000));
  const session = {
    controlPlane: {
      job: async () => {
        const { state, waits = [], attempts = [], fails } = steps[Math.min(asked, steps.length - 1)] ?? assert.fail();
        asked += 1;
        assert.ok(asked < 100, 'the job is over and still asked for');
        if (fails !== undefined) throw fails;
        return {
          job,
          state,
          waitingFor: waits.map(([constraint, count]) => ({ constraint, count })),
          retry: null,
          attempts: attempts.map(([attempt, at, refusal]) => ({ attempt, agent, state: at, refusal })),
        };
      },
    },
    custodian: {
      agents: async () => {
        links += 1;
        return [];
      },
    },
  };
  const terminal = { note: (text: string) => void notes.push(text), line: assert.fail, value: assert.fail };
  const context = { terminal, clock } as unknown as CommandContext;
  let over = false;
  const followed = followJob(context, session as unknown as Session, job).finally(() => (over = true));
  // Awaited below, when it is over.
  followed.catch(() => {});
  while (!over) {
    clock.advance(1_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { view: (await followed).view, notes, links };
}

test('says what a job waits for once for each change, and ends with the job', async () => {
  const { view, notes, links } = await follow([
    { state: 'queued' },
    { state: 'queued', waits: [['memory', 2]] },
    { state: 'queued', waits: [['memory', 2]] },
    {
      state: 'queued',
      waits: [
        ['memory', 1],
        ['tier', 1],
      ],
    },
    { state: 'cancelled' },
  ]);
  assert.equal(view.state, 'cancelled');
  assert.deepEqual(notes, ['waiting: for a place', 'waiting: 2 × memory', 'waiting: 1 × memory, 1 × tier']);
  assert.equal(links, 0);
});

test('follows each attempt that started, tries its agent a few times, and goes on without it', async () => {
  const { view, notes, links } = await follow([
    { state: 'placed', attempts: [[1, 'leased']] },
    { state: 'running', attempts: [[1, 'running']] },
    { state: 'running', attempts: [[1, 'running']] },
    { state: 'queued', attempts: [[1, 'stopped']] },
    {
      state: 'running',
      attempts: [
        [1, 'stopped'],
        [2, 'running'],
      ],
    },
    {
      state: 'succeeded',
      attempts: [
        [1, 'stopped'],
        [2, 'stopped'],
      ],
    },
  ] as Step[]);
  assert.equal(view.state, 'succeeded');
  assert.equal(links, 8);
  assert.deepEqual(
    notes.filter((note) => !note.startsWith('waiting')),
    [1, 2].map((attempt) => `the log of attempt ${attempt} cannot be read: the custodian does not know this server`),
  );
});

test('shows an attempt that was over before anybody looked', async () => {
  const { links } = await follow([{ state: 'failed', attempts: [[1, 'stopped']] }]);
  assert.equal(links, 4);
});

test('says once why each attempt was refused', async () => {
  const refused: [number, string, Refusal] = [1, 'refused', 'disk-full'];
  const { notes, links } = await follow([
    { state: 'queued', attempts: [refused] },
    { state: 'queued', attempts: [refused] },
    { state: 'queued', attempts: [refused, [2, 'refused', 'capacity']] },
    { state: 'failed', attempts: [refused, [2, 'refused', 'capacity']] },
  ]);
  assert.deepEqual(
    notes.filter((note) => !note.startsWith('waiting')),
    [
      'attempt 1 was refused (disk-full): its server’s disk is full',
      'attempt 2 was refused (capacity): its server has less free than it said',
    ],
  );
  assert.equal(links, 0, 'there is no log to read');
});

test('goes on when the control plane is away for a moment, and says so once', async () => {
  const { view, notes } = await follow([
    { state: 'queued', fails: new ApiRefusal(503, 'unavailable', 'the database does not answer') },
    { state: 'queued', fails: new ClientError('unreachable', 'no connection (ECONNREFUSED)') },
    { state: 'succeeded' },
  ]);
  assert.equal(view.state, 'succeeded');
  assert.deepEqual(notes, ['the control plane does not answer (unavailable); the job goes on, asking again']);
});

test('ends at a refusal that does not pass, and when nobody answers for long', async () => {
  const refusal = new ApiRefusal(404, 'not-found', 'there is no such job');
  await assert.rejects(follow([{ state: 'queued', fails: refusal }, { state: 'succeeded' }]), refusal);
  const silence = new ClientError('unreachable', 'no connection (ECONNREFUSED)');
  await assert.rejects(follow([{ state: 'queued', fails: silence }]), silence);
});
