import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { seededRng } from '@ringfence/base';
import { leastEpsilon } from '@ringfence/dp/accountant';
import { encodingOfContract, roundPrivacy } from '@ringfence/fl/contract-encoding';
import { contractTermFaults } from '@ringfence/keyring';
import { SampleContract, samplePart } from '@ringfence/keyring/samples';
import { parsePlanFile, type ContractOffer } from '@ringfence/protocol/federation';
import { contractStatement } from '@ringfence/protocol/statements';
import { draftTerms } from './draft-terms.ts';

const base = mkdtempSync(join(tmpdir(), 'rf-plan-'));
after(() => rmSync(base, { recursive: true, force: true }));

const sample = new SampleContract('drafts');
const { now } = sample.host.organisation;
const offers: ContractOffer[] = sample.parties.map((member) => {
  const { party, client, aggregator } = samplePart(member);
  const isHost = member === sample.host;
  const { statements: keyring } = member.organisation;
  return { v: 1, party, keyring, clients: isHost ? [] : [client], ...(isHost ? { aggregator } : {}) };
});
const MODEL = `model: {kind: softmax}
data: {file: rows.csv, label: diagnosis, classes: [benign, malignant]}`;
const plan = (privacy: string, more = MODEL): string =>
  `name: tumours\npurpose: research\n${more}\nrounds: {count: 20}\nprivacy: ${privacy}\n`;
const draft = (text: string, from = offers) =>
  draftTerms(parsePlanFile(text), from, { rng: seededRng('draft'), now, base });

test('a plan and offers make a contract that contradicts nothing, with noise for its epsilon', () => {
  for (const [privacy, unit] of [
    ['{unit: record, clip: 1, epsilon: 8, delta: 1e-5}', 'record'],
    ['{unit: record, clip: 0.1, epsilon: 0.5, delta: 1e-6, honest_min: 2}', 'record'],
    ['{unit: organisation, clip: 5, epsilon: 3, delta: 1e-5}', 'organisation'],
    ['{unit: person, column: texture, most_rows: 5, clip: 1, epsilon: 2, delta: 1e-5}', 'person'],
  ] as const) {
    const terms = draft(plan(privacy));
    assert.deepEqual(contractTermFaults(terms, now), [], privacy);
    assert.ok(contractStatement.safeParse(terms).success, privacy);
    assert.equal(terms.privacy.unit.kind, unit);
    const { member } = roundPrivacy(terms).against ?? assert.fail();
    const spent = leastEpsilon([{ ...(member ?? assert.fail()), steps: 20 }], 1e-5);
    const { epsilon, delta } = terms.privacy.budget ?? assert.fail();
    if (delta === '0.00001') assert.ok(spent <= Number(epsilon) && spent > Number(epsilon) * 0.97, `${spent}`);
    assert.ok(encodingOfContract(terms).width <= 32);
    if (unit === 'person' && terms.code.kind === 'embedded')
      assert.deepEqual(
        terms.code.data.features.map(({ column }) => column),
        ['radius'],
        'whose row it is trains nothing',
      );
  }
});

test('without epsilon there is no noise and no budget; own code is named by its files', () => {
  mkdirSync(join(base, 'code'));
  writeFileSync(join(base, 'code/train.py'), 'print(1)\n');
  const own = 'own: {parameters: 6, code: code, run: python3 train.py}';
  const one = draft(plan('{unit: organisation, clip: 1}', own));
  assert.deepEqual([one.privacy.noise, one.privacy.budget], [null, null]);
  assert.deepEqual(contractTermFaults(one, now), []);
  writeFileSync(join(base, 'code/train.py'), 'print(2)\n');
  const two = draft(plan('{unit: organisation, clip: 1}', own));
  assert.ok(one.code.kind === 'own' && two.code.kind === 'own' && one.code.digest !== two.code.digest);
  assert.deepEqual(
    contractTermFaults(draft(plan('{unit: record, clip: 1}', own)), now).map(({ code }) => code),
    ['grade-of-own-code'],
  );
});

test('a plan says when the model is tested and how far an update may go, and nothing of it where it does not', () => {
  const bare = draft(plan('{unit: record, clip: 1}'));
  assert.deepEqual([bare.evaluation, bare.robustness], [undefined, undefined]);
  assert.ok(!('evaluation' in bare) && !('robustness' in bare), 'a contract of before has the same bytes');
  const more = `${MODEL}
update_norm: 2.5
evaluation: {every: 5, held_out: 0.25, stop: {metric: accuracy, patience: 3, min_delta: 1e-3}}`;
  const full = draft(plan('{unit: record, clip: 1}', more));
  assert.deepEqual(full.robustness, { updateNorm: '2.5' });
  assert.deepEqual(full.evaluation, {
    every: 5,
    heldOut: '0.25',
    stop: { metric: 'accuracy', patience: 3, minDelta: '0.001' },
  });
  assert.deepEqual(contractTermFaults(full, now), []);
  assert.ok(contractStatement.safeParse(full).success);
  const least = draft(plan('{unit: record, clip: 1}', `${MODEL}\nevaluation: {every: 2}`));
  assert.deepEqual(least.evaluation, { every: 2, heldOut: '0.2' });
  const noised = draft(plan('{unit: record, clip: 1, epsilon: 8, delta: 1e-5}', more));
  assert.deepEqual(
    contractTermFaults(noised, now).map(({ code }) => code),
    ['evaluation-with-noise', 'robustness-with-noise'],
  );
});

test('a draft assumes as many colluders as the aggregator’s organisation has clients', () => {
  const both = offers.map((offer) => ({ ...offer, clients: [samplePart(sample.host).client, ...offer.clients] }));
  const hosted = [...offers.slice(0, -1), ...both.slice(-1)];
  const one = draft(plan('{unit: record, clip: 1}'), hosted);
  assert.equal(one.secureAggregation.corrupt, '0.25', 'one of four');
  const codes = (terms: typeof one) => contractTermFaults(terms, now).map(({ code }) => code);
  assert.ok(!codes(one).includes('colluders'), codes(one).join());
  const said = draft(
    plan('{unit: record, clip: 1}', `${MODEL}\nsecure_aggregation: {corrupt: 0.1, dropout: 0}`),
    hosted,
  );
  assert.ok(codes(said).includes('colluders'), 'what a plan says is drafted as it says');
  assert.equal(draft(plan('{unit: record, clip: 1}')).secureAggregation.corrupt, '0.1');
});

test('a plan that cannot be is refused with its place', () => {
  for (const [text, words] of [
    [plan('{unit: record, clip: 1, epsilon: 8}'), /delta/],
    [plan('{unit: record}'), /clip/],
    [plan('{unit: person, clip: 1, epsilon: 1, delta: 1e-5}'), /person/],
    [plan('{unit: rows, clip: 1}'), /record, person, organisation/],
    [plan('{unit: record, clip: 1}', `${MODEL}\nown: {parameters: 1, code: ., run: x}`), /either a model or own code/],
    [plan('{unit: record, clip: 1}', 'model: {kind: softmax}'), /data/],
    [plan('{unit: record, clip: 1}').replace('count: 20', 'count: 0'), /1 to 100000/],
    [plan('{unit: record, clip: 1}').replace('name:', 'nam:'), /nam/],
    [plan('{unit: record, clip: 1}', `${MODEL}\nrecipients: [Nobody]`), /recipient/],
  ] as const)
    assert.throws(() => draft(text), words, text);
  assert.throws(() => draft(plan('{unit: record, clip: 1}'), offers.slice(0, 3)), /aggregator/);
});
