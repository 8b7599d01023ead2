import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs } from '@ringfence/base';
import { SampleOrganisation, SampleProvider } from '@ringfence/keyring/samples';
import { papersFindings } from '../doctor/papers.ts';
import { keyringLines } from './keyring-lines.ts';
import { keyringView } from './keyring-view.ts';
import { papersText, papersWarning } from './papers.ts';

const HOUR_MS = 3_600_000;
const sample = new SampleOrganisation('keyring ls');
const custodian = sample.addCustodian();
const officer = sample.addDevice('officer');
const provider = new SampleProvider(sample);
const { agent, site } = provider.join();
const view = keyringView(sample.keyring, [{ agent, name: 'rented', site: 'cloud' }], sample.now);
const papers = view.agents[0]?.papers ?? assert.fail('a provider’s machine has papers');

test('everybody is named: officers, custodian, servers with their papers, admitters and issuers', () => {
  assert.deepEqual(
    view.devices.map(({ device, officer: may }) => [device, may]),
    [[officer.id, true]],
  );
  assert.equal(view.custodians[0]?.custodian, custodian.id);
  assert.ok((view.custodians[0].maySignUntil ?? 0) > sample.now);
  const [machine] = view.agents;
  assert.deepEqual(
    [machine?.name, machine?.site, machine?.siteName, machine?.tier],
    ['rented', site, 'cloud', 'secure-cloud'],
  );
  assert.deepEqual([papers.provider, papers.until], [provider.id, sample.now + 1_000 * HOUR_MS]);
  assert.deepEqual(
    view.admitters.map(({ key, tier }) => [key, tier]),
    [[provider.admitter.publicKey, 'secure-cloud']],
  );
  assert.deepEqual(
    view.issuers.map(({ standards }) => standards),
    [['iso27001', 'soc2']],
  );
  const lines = keyringLines(view, officer.id, sample.now).join('\n');
  assert.match(lines, new RegExp(`rented +cloud +secure-cloud +DE US +${provider.id} +2027-02-26`));
  assert.match(lines, new RegExp(`${officer.id} \\(this one\\) +officer`));
});

test('who was removed is named no more, and an admitter’s papers end with it', () => {
  sample.now = epochMs(sample.now + HOUR_MS);
  sample.add({ kind: 'remove-admitter', key: provider.admitter.publicKey });
  const after = keyringView(sample.keyring, [], sample.now);
  assert.deepEqual(after.admitters, []);
  const ended = after.agents[0]?.papers ?? assert.fail();
  assert.ok(ended.until <= sample.now);
  assert.match(papersText(ended, sample.now), /\(ended\)$/);
  assert.match(papersWarning(ended, sample.now) ?? '', /^ended .*starts nothing/);
});

test('doctor says whose papers end, and that the others hold', () => {
  const found = (hours: number) =>
    papersFindings(sample.keyring.agents(), () => 'rented', epochMs(papers.from + hours * HOUR_MS));
  assert.deepEqual(
    found(-2).map(({ verdict }) => verdict),
    ['warn'],
  );
  const [ended] = found(1_000);
  assert.deepEqual([ended?.verdict, ended?.check], ['warn', 'papers']);
  assert.match(ended?.detail ?? '', /^of rented ended/);
  assert.deepEqual(
    papersFindings([], () => '', papers.from),
    [],
    'nothing of an organisation without any',
  );
});

test('papers are warned of when a quarter of their time is left, and before they begin', () => {
  const at = (hours: number) => papersWarning(papers, epochMs(papers.from + hours * HOUR_MS));
  assert.equal(at(749), undefined);
  assert.equal(at(751), 'end in 249 h 0 m');
  assert.match(at(1_000) ?? '', /^ended/);
  assert.match(at(-1) ?? '', /^begin/);
  assert.equal(papersText(null, papers.from), '-');
});
