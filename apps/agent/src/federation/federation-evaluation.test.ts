// What a contract may say of training beside: evaluations, early stop, a bound on updates.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Contract } from '@ringfence/protocol/statements';
import type { ClientChange } from './federation.fixture.ts';
import { assertNear, decimal, expectedModel, PLAIN, TestFederation } from './federation.fixture.ts';

const never = new AbortController().signal;
const LIMITS = { count: 6, longestMs: 20_000 };
const tested = (terms: Partial<Contract>): Partial<Contract> => ({ ...PLAIN, rounds: LIMITS, ...terms });

/** Trains as ever; tests with these losses, one an evaluation, the last again and again; says which models it saw. */
function testsWith(losses: readonly number[], member: number, parameters: number) {
  const seen: { task: string; model: Float32Array }[] = [];
  let evaluations = 0;
  const train: ClientChange['train'] = ({ task, model }) => {
    seen.push({ task, model });
    const update = TestFederation.update(member, parameters);
    if (task === 'train') return Promise.resolve(update);
    const loss = losses[Math.min(evaluations, losses.length - 1)] ?? 0;
    evaluations += 1;
    return Promise.resolve({
      examples: member + 1,
      metrics: { loss, accuracy: 1 - loss / 10 },
      values: new Float32Array(),
    });
  };
  return { seen, train };
}

test('the model is tested after every second sum and after the last, and figures are of all rows tested on', async (t) => {
  const terms = tested({ rounds: { ...LIMITS, count: 3 }, evaluation: { every: 2, heldOut: decimal('0.2') } });
  const federation = await TestFederation.open(t, { terms });
  const { clients } = federation;
  const { parameters } = federation.terms;
  const jobs = clients.map(({ member }) => testsWith([member, 1], member, parameters));
  const [end, ...ends] = await Promise.all([
    federation.aggregator().run(never),
    ...clients.map((client, at) => client.run(never, { train: jobs[at]?.train ?? assert.fail() })),
  ]);
  assert.equal(end, 'finished');
  const last = expectedModel(parameters, [0, 1, 2], 3);
  for (const client of ends) assertNear(client.outcome === 'finished' ? client.model : undefined, last);
  assert.deepEqual(
    jobs[0]?.seen.map(({ task }) => task),
    ['train', 'train', 'evaluate', 'train', 'evaluate'],
  );
  assertNear(jobs[0]?.seen[2]?.model, expectedModel(parameters, [0, 1, 2], 2));
  assertNear(jobs[0]?.seen[4]?.model, last);
  const reports = clients[0]?.reports.map(([, report]) => report) ?? [];
  assert.deepEqual(
    reports.map(({ task, examples }) => [task, examples]),
    [
      [undefined, 600],
      [undefined, 600],
      ['evaluate', 6],
      [undefined, 600],
      ['evaluate', 6],
    ],
  );
  // (1 · 0 + 2 · 1 + 3 · 2) / 6
  assert.ok(Math.abs((reports[2]?.metrics?.['loss'] ?? 0) - 8 / 6) < 1e-3);
  assert.equal(federation.transcripts.length, 5);
});

test('an aggregator that is killed between two evaluations stops early all the same, with the best model', async (t) => {
  const stop = { metric: 'loss', patience: 2, minDelta: decimal('0.1') } as const;
  const terms = tested({ evaluation: { every: 1, heldOut: decimal('0.2'), stop } });
  const federation = await TestFederation.open(t, { terms });
  const { clients } = federation;
  const { parameters } = federation.terms;
  // The second is the best: the third is better by too little, the fourth is worse.
  const jobs = clients.map(({ member }) => testsWith([3, 1, 0.95, 2], member, parameters));
  const killed = new AbortController();
  let checkpoints = 0;
  const fault = (point: string): void => {
    if (point === 'federation-after-checkpoint') checkpoints += 1;
    // Three were trained, two tested.
    if (point === 'federation-after-checkpoint' && checkpoints === 5) killed.abort();
  };
  const lives = async (): Promise<unknown> => {
    assert.equal(await federation.aggregator({ fault }).run(killed.signal), 'aborted');
    return federation.aggregator().run(never);
  };
  const [end, ...ends] = await Promise.all([
    lives(),
    ...clients.map((client, at) => client.run(never, { train: jobs[at]?.train ?? assert.fail() })),
  ]);
  assert.equal(end, 'finished');
  const best = expectedModel(parameters, [0, 1, 2], 2);
  for (const client of ends) assertNear(client.outcome === 'finished' ? client.model : undefined, best);
  assert.equal(federation.transcripts.length, 8, 'four sums of six, each tested');
});

test('a bound on updates holds every client’s, and the mean of those who keep to none', async (t) => {
  const terms = tested({ rounds: { ...LIMITS, count: 1 }, robustness: { updateNorm: decimal('0.5') } });
  const federation = await TestFederation.open(t, { clients: 4, terms });
  const { clients } = federation;
  const { parameters } = federation.terms;
  const push = (member: number): Float32Array => {
    const values = new Float32Array(parameters);
    values[0] = member === 0 ? 0.25 : 0;
    values[1] = member === 1 ? 8 : 0;
    return values;
  };
  const { robustness: _, ...unbound } = federation.terms.contract;
  // It encodes as if the contract said nothing: the norm of the mean is 9.
  const liar = { terms: { ...federation.terms, contract: unbound } };
  const jobs = clients.map(({ member }) => ({
    train: () =>
      Promise.resolve({ examples: 1, metrics: {}, values: member === 3 ? fill(parameters, 9) : push(member) }),
    ...(member === 3 ? liar : {}),
  }));
  const [honest, lied] = [jobs.slice(0, 3), jobs];
  const run = async (changes: readonly ClientChange[], of = federation): Promise<Float32Array> => {
    const [, first] = await Promise.all([
      of.aggregator().run(never),
      ...changes.map((change, at) => of.clients[at]?.run(never, change)),
    ]);
    return (typeof first === 'object' && first.outcome === 'finished' ? first.model : undefined) ?? assert.fail();
  };
  const three = await TestFederation.open(t, { terms });
  const kept = await run(honest, three);
  assert.ok(Math.abs((kept[0] ?? 0) - 0.25 / 3) < 0.01, 'what is within the bound is left as it is');
  assert.ok(Math.abs((kept[1] ?? 0) - 0.5 / 3) < 0.01, 'what is beyond is brought down to it');
  const moved = await run(lied);
  assert.ok(Math.hypot(...moved) < 0.5001 && Math.hypot(...moved) > 0.49, String(Math.hypot(...moved)));
});

function fill(parameters: number, norm: number): Float32Array {
  return new Float32Array(parameters).fill(norm / Math.sqrt(parameters));
}

test('a client takes part in no evaluation that the contract does not ask for', async (t) => {
  const federation = await TestFederation.open(t, { terms: tested({ rounds: { ...LIMITS, count: 1 } }) });
  const { contract } = federation.terms;
  const other = { ...federation.terms, contract: { ...contract, evaluation: { every: 1 } } };
  const over = new AbortController();
  const running = federation.aggregator({ terms: other }).run(over.signal);
  const ends = await Promise.allSettled(federation.clients.map((client) => client.run(never)));
  for (const end of ends)
    assert.ok(end.status === 'rejected' && (end.reason as { code?: string }).code === 'bad-response');
  over.abort();
  await running;
});
