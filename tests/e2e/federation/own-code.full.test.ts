// Code of one's own in a federation, as examples/federation has it: the contract names it by digest, and it trains in each organisation's sandbox.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { until } from '@ringfence/base/until';
import type { FederationAnswer } from '@ringfence/protocol/payload';
import { dealRows, SITES } from '../../../examples/federation/split.ts';
import { agreeOn, startMembers, type Members } from '../../../scripts/house/agreed-organisations.ts';
import { CHECKOUT } from '../../../scripts/house/index.ts';
import { said } from '../../../scripts/house/rented-machine.ts';
import { missing } from '../../../scripts/needs.ts';

const CODE = join(CHECKOUT, 'examples/federation/own');
const ROUNDS = 3;
const WITHIN_MS = 300_000;
const skip = missing('sklearn');

const root = mkdtempSync(join(tmpdir(), 'ringfence-own-code-'));
let all: Members;
let contract: string;

before(async () => {
  if (skip !== false) return;
  all = await startMembers({ root, others: SITES });
  const plan = readFileSync(join(CODE, 'plan.yaml'), 'utf8')
    .replace('count: 10', `count: ${ROUNDS}`)
    .replace('code: .', `code: "${CODE}"`);
  const { sites } = dealRows();
  ({ contract } = await agreeOn(all, { plan, rows: (_site, index) => sites[index] ?? '' }));
});
after(async () => {
  await all?.stop();
  rmSync(root, { recursive: true, force: true });
});

test('other code than the contract names is not run', { skip }, async () => {
  const edited = join(root, 'edited');
  cpSync(CODE, edited, { recursive: true });
  writeFileSync(join(edited, 'train.py'), 'print("something else")\n');
  const { house } = all.members[1] ?? assert.fail();
  const refused = await house.cli(['federation', 'start', contract, '--workdir', edited, '--yes']);
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /code/);
});

test('the code of the contract learns from all sites, and each has the model', { skip }, async () => {
  for (const { house } of all.members) await said(house, ['federation', 'start', contract, '--workdir', CODE, '--yes']);
  const { house } = all.members[1] ?? assert.fail();
  let status: FederationAnswer | undefined;
  const isOver = async (): Promise<boolean> => {
    await pause(1_000);
    status = await said<FederationAnswer>(house, ['federation', 'status', contract]);
    return status.rounds.filter(({ report }) => report?.outcome === 'summed').length === ROUNDS;
  };
  await until(isOver, 'three rounds', WITHIN_MS);
  const reports = (status?.rounds ?? []).flatMap(({ report }) => (report?.outcome === 'summed' ? [report] : []));
  const accuracies = reports.map(({ metrics }) => metrics?.['accuracy'] ?? 0);
  assert.deepEqual(
    reports.map(({ examples }) => examples),
    [456, 456, 456],
  );
  // The newest first: of the model that each round began with, zeros at first.
  assert.ok((accuracies[0] ?? 0) > 0.85 && (accuracies.at(-1) ?? 1) < 0.7, accuracies.join(' '));
  const folder = join(root, 'model');
  await until(
    async () => {
      await pause(1_000);
      return (await house.cli(['federation', 'model', contract, '--out', folder])).code === 0;
    },
    'the model',
    WITHIN_MS,
  );
  const file = readFileSync(join(folder, 'model.safetensors'));
  assert.equal((file.length - 8 - Number(file.readBigUInt64LE(0))) / 4, 31);
});
