import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs, newId, seededRng } from '@ringfence/base';
import type { LogAccuser } from '@ringfence/protocol/payload';
import { accuserLines, allAccusers } from './accusers.ts';

const rng = seededRng('accusers');
const agents = Array.from({ length: 3 }, () => newId('agent', rng)).toSorted();
const found = (index: number) =>
  ({ origin: 'o', fault: 'forked', at: epochMs(1_800_000_000_000), index, until: 99 }) as const;
const accuser = (at: number, filed: number, kept = filed): LogAccuser => ({
  witness: agents[at] ?? assert.fail(),
  filed,
  accusations: Array.from({ length: kept }, (_, index) => found(index)),
});

test('all pages are asked for, and a custodian that gives out one for ever ends it', async () => {
  const pages = [accuser(0, 1), accuser(1, 2), accuser(2, 3)];
  const asked: string[] = [];
  const auditAccusers = async (after: string) => {
    asked.push(after);
    const [first, second] = pages.filter(({ witness }) => witness > after);
    return {
      accusers: first === undefined ? [] : [first],
      next: second === undefined ? null : (first?.witness ?? null),
    };
  };
  assert.deepEqual(await allAccusers({ auditAccusers }), pages);
  assert.equal(asked.length, 3);
  const forEver = async () => ({ accusers: pages.slice(0, 1), next: pages[0]?.witness ?? null });
  assert.equal((await allAccusers({ auditAccusers: forEver })).length, 2);
});

test('of a witness the first and the newest are shown, and how many more it found', () => {
  assert.equal(accuserLines(accuser(0, 1)).length, 1);
  assert.equal(accuserLines(accuser(0, 2)).length, 2);
  const [first = '', newest = '', more = ''] = accuserLines(accuser(0, 5_000, 20));
  assert.match(first, /ACCUSED by agt_.* forked, from entry 0 on/);
  assert.match(newest, /from entry 19 on/);
  assert.match(more, /and 4998 more .* the 20 that are kept/);
});
