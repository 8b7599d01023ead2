import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromUtf8, randomBelow, seededRng, utf8 } from '@ringfence/base';
import { MOST_CONTRACT_FILE, type ContractFile } from '@ringfence/protocol/federation';
import { KeyringError } from '../keyring-error.ts';
import { SampleOrganisation } from '../sample-organisation.fixture.ts';
import { mergeContractFiles, readContractFile, signContract, writeContractFile } from './contract-file.ts';
import { SampleContract } from './sample-contract.fixture.ts';

/** `npm test` takes a tenth of them. */
const CASES = process.env['RINGFENCE_TEST_FULL'] === '1' ? 100_000 : 10_000;

const sample = new SampleContract('files');
const full = sample.file();
const text = writeContractFile(full);

describe('a contract file', () => {
  it('reads as it was written, unsigned or signed', () => {
    for (const file of [full, sample.file([]), sample.file(sample.parties.slice(0, 2))])
      assert.deepEqual(readContractFile(utf8(writeContractFile(file))), file);
  });

  it('is one with any other copy of the same bytes, in any order, and with itself', () => {
    const [one, two, three, four] = sample.parties.map((party) => sample.file([party]));
    assert.ok(one && two && three && four);
    const merged = [one, two, three, four].reduce(mergeContractFiles);
    assert.deepEqual([four, two, three, one].reduce(mergeContractFiles), merged);
    assert.deepEqual(mergeContractFiles(merged, merged), merged);
    assert.equal(merged.contract.signatures.length, 4);
    assert.deepEqual(
      signContract(merged, sample.parties[0]?.device.sign ?? assert.fail()),
      merged,
      'signed twice is once',
    );
    assert.throws(() => mergeContractFiles(full, sample.file(sample.parties, { name: 'others' })), {
      code: 'other-contract',
    });
  });

  it('keeps the longer copy of a keyring, and refuses two that are not one chain', () => {
    const of = (file: ContractFile, statements: ContractFile['keyrings'][number]['statements']): ContractFile => ({
      ...file,
      keyrings: file.keyrings.map((keyring, at) => (at === 0 ? { ...keyring, statements } : keyring)),
    });
    const { statements } = full.keyrings[0] ?? assert.fail();
    const short = of(full, statements.slice(0, -2));
    for (const merged of [mergeContractFiles(short, full), mergeContractFiles(full, short)])
      assert.equal(
        merged.keyrings.find(({ org }) => org === full.keyrings[0]?.org)?.statements.length,
        statements.length,
      );
    const fork = of(full, [...statements.slice(0, -1), ...new SampleOrganisation('fork').statements.slice(0, 1)]);
    assert.throws(() => mergeContractFiles(full, fork), { code: 'broken-chain' });
  });

  it('is refused when it is too long, or anything else', () => {
    const long = Buffer.alloc(MOST_CONTRACT_FILE + 1, ' ');
    assert.throws(() => readContractFile(long), { code: 'malformed' });
    for (const other of ['', '{}', 'null', '[]', text.slice(1), `${text}x`, text.replace('"v":1', '"v":2')])
      assert.throws(() => readContractFile(utf8(other)), { code: 'malformed' }, other.slice(0, 20));
  });

  it(`survives ${CASES} mutations: it reads, or is refused as malformed`, () => {
    const rng = seededRng(`contract files ${process.env['FUZZ_SEED'] ?? 1}`);
    // A short one: how fast a case is depends on its length.
    const bytes = utf8(writeContractFile({ ...full, keyrings: full.keyrings.slice(0, 1) })).slice();
    let read = 0;
    for (let run = 0; run < CASES; run += 1) {
      const at = randomBelow(rng, bytes.length);
      const before = bytes[at] ?? 0;
      bytes[at] = randomBelow(rng, 256);
      try {
        readContractFile(bytes);
        read += 1;
      } catch (error) {
        assert.ok(error instanceof KeyringError && error.code === 'malformed', String(error));
      }
      bytes[at] = before;
    }
    assert.ok(read > 0 && read < CASES, String(read));
    assert.equal(fromUtf8(bytes), fromUtf8(utf8(writeContractFile({ ...full, keyrings: full.keyrings.slice(0, 1) }))));
  });
});
