import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs } from '@ringfence/base';
import { statementDigest } from '@ringfence/crypto/sign';
import { SampleOrganisation, SampleProvider } from '@ringfence/keyring/samples';
import { evidenceCells, evidenceView } from './evidence-view.ts';

const sample = new SampleOrganisation('evidence view');
const provider = new SampleProvider(sample);
const document = provider.evidence();
const viewOf = (of: typeof document, revocations: (typeof document)[] = [], now = sample.now) =>
  evidenceView(now, sample.keyring, { document: of, revocations });
const cellsOf = (...of: Parameters<typeof viewOf>) => evidenceCells(viewOf(...of)).slice(1);

test('a document is listed by what it says, whether it counts or not', () => {
  const said = ['iso27001', 'third-party', provider.id, '2028-01-15'];
  assert.deepEqual(cellsOf(document), [...said, 'counts']);
  assert.deepEqual(cellsOf(document, [provider.revocation(statementDigest(document))]), [...said, 'revoked']);
  const stranger = sample.key();
  assert.deepEqual(cellsOf(provider.evidence({}, stranger)), [...said, 'issuer']);
  assert.deepEqual(cellsOf(document, [], epochMs(1_900_000_000_000)), [...said, 'ended']);
  assert.deepEqual(cellsOf(document, [], epochMs(sample.now - 25 * 3_600_000)), [...said, 'not-begun']);
});

test('own sites are said of evidence without a provider alone; nothing is said of what does not read', () => {
  const own = provider.evidence({ provider: undefined });
  assert.equal(evidenceCells(viewOf(own))[3], 'own sites');
  const broken = { ...document, payload: Buffer.from('{}').toString('base64') };
  assert.deepEqual(cellsOf(broken), ['-', '-', '-', '-', 'malformed']);
});
