import assert from 'node:assert/strict';
import test from 'node:test';
import { newId, seededRng } from '@ringfence/base';
import type { Message } from '@ringfence/protocol/messages';
import { fieldBits } from './field-capacity.ts';
import { SmugglingCount } from './smuggling-count.ts';

const rng = seededRng('smuggling');
const run = { job: newId('job', rng), attempt: 1 };
const beat = (memory: number, cpu: number): Message => ({
  name: 'heartbeat',
  body: { attempts: [{ ...run, memory, cpu }] },
});
const status = (state: 'running' | 'stopped', outcome?: 'succeeded'): Message => ({
  name: 'attempt-status',
  body: { ...run, state, ...(outcome === undefined ? {} : { outcome }) },
});
const frame = (t: number) => ({ t, again: false, signatureFixed: true });

test('a field counts the logarithm of the values that its schema allows', () => {
  const bits = (message: Message): Map<string, number> =>
    new Map(
      fieldBits(message.name, message.body).map(({ path, bits: count }) => [path, Math.round(count * 100) / 100]),
    );
  const heartbeat = bits(beat(1, 2));
  assert.equal(heartbeat.get('attempts[0].memory'), 6);
  assert.equal(heartbeat.get('attempts[0].cpu'), 6);
  assert.equal(heartbeat.get('attempts[0].job'), 128);
  assert.equal(heartbeat.get('attempts[0].attempt'), 19.93);
  assert.equal(heartbeat.get('attempts.length'), 6.02);
  const stopped = fieldBits('attempt-status', status('stopped', 'succeeded').body);
  const sum = (path: string): number =>
    stopped.filter((field) => field.path === path).reduce((total, field) => total + field.bits, 0);
  assert.equal(sum('state').toFixed(2), Math.log2(5).toFixed(2));
  assert.equal(sum('outcome').toFixed(2), (1 + Math.log2(9)).toFixed(2), 'whether it is there, and which');
  assert.equal(sum('refusal'), 1, 'that it is not there');
  const key = 'A'.repeat(43);
  const added = fieldBits('member', { op: 'add', id: newId('agent', rng), sign: key, keyringSeq: 3 });
  assert.equal(added.find(({ path }) => path === 'sign')?.bits, 256);
  const gpu = { model: 'H100', memoryBytes: 1, count: 1 };
  const evidence = { standard: 'iso27001', digest: '0'.repeat(64), notAfter: 1 };
  const offered = fieldBits('offer', { jurisdictions: ['DE'], gpus: [gpu], evidence: [evidence] });
  assert.equal(offered.find(({ field }) => field === 'evidence[].digest')?.bits, 256);
  assert.ok(
    offered.every(({ bits: count }) => count <= 256),
    'no text is of an unknown shape',
  );
  const member = fieldBits('member', { op: 'remove', id: newId('agent', rng), keyringSeq: 3 });
  assert.equal(member.find(({ path }) => path === '')?.bits, 1, 'one of two shapes');
  assert.ok(!member.some(({ path }) => path === 'sign'));
});

test('counters that are held say nothing; each change and each chance to change counts twelve bits', () => {
  const count = new SmugglingCount('agent');
  count.leased(run);
  for (let t = 0; t < 300_000; t += 5_000) count.sent(beat(Math.floor(t / 60_000), 1), frame(t));
  const steady = count.result(true);
  assert.equal(steady.job.perMinute, 12);
  assert.equal(steady.job.total, 5 * 12);
  const unheld = new SmugglingCount('agent');
  unheld.leased(run);
  for (let t = 0; t < 300_000; t += 5_000) unheld.sent(beat(t / 5_000, 1), frame(t));
  assert.equal(unheld.result(true).job.perMinute, 12 * 12, 'an agent that does not hold them is found out');
  assert.equal(unheld.result(true).jobMeetsGoal, false);
  assert.equal(steady.jobMeetsGoal, true);
});

test('the steps of an attempt count for it, and only once however often they cross', () => {
  const count = new SmugglingCount('agent');
  count.leased(run);
  count.sent(status('running'), frame(0));
  count.sent(status('stopped', 'succeeded'), frame(1_000));
  const once = count.result(true);
  assert.equal(once.job.perAttempt, Math.ceil(2 * Math.log2(5) + 2 + Math.log2(9)));
  count.sent(status('stopped', 'succeeded'), { ...frame(2_000), again: true });
  assert.equal(count.result(true).job.perAttempt, once.job.perAttempt);
});

test('ids that no lease named are the choice of the agent, and so are signatures that nobody made again', () => {
  const leased = new SmugglingCount('agent');
  leased.leased(run);
  leased.sent(status('running'), frame(0));
  const invented = new SmugglingCount('agent');
  invented.sent(status('running'), frame(0));
  const difference = invented.result(true).agent.perAttempt - leased.result(true).agent.perAttempt;
  assert.ok(Math.abs(difference - (128 + Math.log2(1_000_000))) <= 1);
  const signed = new SmugglingCount('agent');
  signed.leased(run);
  signed.sent(status('running'), { ...frame(0), signatureFixed: false });
  assert.equal(signed.result(false).agent.perAttempt - leased.result(true).agent.perAttempt, 252);
});

test('what hostile code could put into a handshake is counted, and is above the goal', () => {
  const count = new SmugglingCount('agent');
  count.opened(false);
  const { agent, agentMeetsGoal, jobMeetsGoal, notCounted } = count.result(true);
  assert.equal(agent.perConnection, 9_984);
  assert.deepEqual([agentMeetsGoal, jobMeetsGoal], [false, true]);
  assert.match(notCounted.join(), /time/);
});
