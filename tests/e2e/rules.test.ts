// What officers sign: a profile that a job names, and a policy that forbids, at the launch and on the machine.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { until } from '@ringfence/base/until';
import type { House } from '../../scripts/house/index.ts';
import { sharedHouse } from './shared-house.ts';

const root = mkdtempSync(join(tmpdir(), 'ringfence-rules-'));
let house: House;

before(async () => {
  house = await sharedHouse();
  mkdirSync(join(root, 'empty'));
});

after(() => {
  rmSync(root, { recursive: true, force: true });
});

function file(name: string, text: string): string {
  const path = join(root, name);
  writeFileSync(path, text);
  return path;
}

const job = (name: string, added = ''): string =>
  file(`${name}.yaml`, `name: ${name}\nworkdir: empty\nrun: echo ran\n${added}\n`);

async function said(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await house.cli(args);
  assert.equal(code, 0, stderr);
  return stdout;
}

async function refused(args: readonly string[]): Promise<string> {
  const { code, stderr } = await house.cli(args);
  assert.notEqual(code, 0, 'was not refused');
  return stderr;
}

test('a job is held to the profile that it names, and the plan shows what comes out', async () => {
  await said([
    'profile',
    'set',
    file(
      'ward.profile',
      'name: ward\nprivacy: {place: {tiers: [private]}, logs: local, egress: []}\nmax_duration: 5m\n',
    ),
  ]);
  assert.match(await said(['profile', 'ls']), /^ward +1 .*tiers, egress, logs, maxDurationMs/m);
  const planned = await said(['plan', '--json', job('held', 'profile: ward\nmax_duration: 1h')]);
  const { placement } = JSON.parse(planned) as { placement: { tiers: string[]; maxDurationMs: number } };
  assert.deepEqual([placement.tiers, placement.maxDurationMs], [['private'], 300_000]);
  assert.match(await said(['launch', '-y', job('held', 'profile: ward')]), /^ran$/m);
  const reaches = job('reaches', 'profile: ward\nprivacy: {egress: ["a.example:443"]}');
  assert.match(await refused(['launch', '-y', reaches]), /privacy\.egress: the profile allows only: none/);
  assert.match(await refused(['launch', '-y', job('lost', 'profile: none-such')]), /no profile of the name/);
});

test('what a job file says of its cost, its end and its keys is what is signed', async () => {
  const terms = 'deadline: 6h\nbudget: 20 EUR\nweights: {cost: 2}\nretry: {on: [error], max: 2}';
  const from = Date.now();
  const planned = await said([
    'plan',
    '--json',
    job('bounded', `${terms}\nprivacy: {customer_key: true, place: {residency_deny: [FR]}}`),
  ]);
  const { placement } = JSON.parse(planned) as { placement: Record<string, unknown> & { deadline: number } };
  const { budget, weights, customerKey, residencyDeny, deadline } = placement;
  assert.deepEqual(
    { budget, weights, customerKey, residencyDeny },
    {
      budget: { microUnits: 20_000_000, currency: 'EUR', attempts: 3 },
      weights: { cost: 2_000 },
      customerKey: true,
      residencyDeny: ['FR'],
    },
  );
  assert.ok(deadline >= from + 6 * 3_600_000 && deadline <= Date.now() + 6 * 3_600_000);
});

test('a policy forbids before the control plane hears of the job, and names its reason', async () => {
  const permit = file('permit.cedar', '@id("all") permit (principal, action, resource);');
  assert.match(await refused(['policy', 'set', permit]), /can only forbid/);
  const cedar =
    '@id("ward-only") forbid (principal, action, resource) unless { resource has profile && resource.profile == "ward" };';
  await said(['policy', 'set', file('ward.cedar', cedar)]);
  assert.match(await said(['policy', 'show']), /ward-only/);
  assert.match(await said(['plan', job('free')]), /^Policy +forbids it: ward-only/m);
  assert.match(await refused(['launch', '-y', job('free')]), /policy forbids this job: ward-only/);
  assert.doesNotMatch(await said(['ps']), /\bfree\b/);
  assert.match(await said(['launch', '-y', job('held-again', 'profile: ward')]), /^ran$/m);
});

test('what it forbids on a machine gets no grant, and the owner is told which rule', async () => {
  const cedar =
    '@id("not-at-home") forbid (principal, action, resource) when { context has place && context.place.tier == "private" };';
  await said(['policy', 'set', file('home.cedar', cedar)]);
  await said(['launch', '-y', '-d', job('placed')]);
  await until(
    async () => /granted nothing \(policy, not-at-home\)/.test((await house.cli(['status', 'placed'])).stdout),
    'the refusal reaches its owner',
  );
  await said(['policy', 'set', file('empty.cedar', '')]);
  assert.match(await said(['launch', '-y', job('allowed')]), /^ran$/m);
});
