// Of a job that failed its owner learns a place: one of the code as it was packed, so that a job which sees data cannot write any into it.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemRng as rng } from '@ringfence/base';
import { sealPack } from '@ringfence/client/pack';
import { DedupeKey, sha256Hex } from '@ringfence/crypto/seal';
import type { FailureEnvelope, PackReference } from '@ringfence/protocol/payload';
import { need } from '../../../../scripts/needs.ts';
import { AttemptFolder } from './attempt-folder.ts';
import { IDS, WORKLOAD } from './members.fixture.ts';
import { openOrganisation, type TestOrganisation } from './organisation.fixture.ts';

/** A pack of one file, whose objects the machine has. */
async function packed({ machine }: TestOrganisation, folder: string, path: string): Promise<PackReference> {
  const custodian = {
    presentChunks: async () => [],
    registerChunks: async () => {},
    async uploadObjects(objects: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
      const stored = [];
      for await (const bytes of objects) {
        const kept = Uint8Array.from(bytes);
        stored.push(sha256Hex(kept));
        await machine.cache.get(sha256Hex(kept), async () => kept);
      }
      return stored;
    },
  };
  const entries = [{ kind: 'file', path, executable: false } as const];
  const { org, project } = IDS;
  const dedupeKey = DedupeKey.generate(rng);
  return (await sealPack({ folder, entries, org, project, dedupeKey, custodian, rng })).pack;
}

test('a place is one of the packed code, now and when an earlier setup is used; never what the job wrote', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  const organisation = await openOrganisation(t);
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-failure-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'train.sh'), 'echo a program of some length\n');
  const code = await packed(organisation, folder, 'train.sh');
  const failure = async (run: string, setup?: string): Promise<FailureEnvelope | null | undefined> => {
    const own = { ...WORKLOAD, isolation: 'sandbox', code, run } as const;
    const { job } = await organisation.lease({ workload: setup === undefined ? own : { ...own, setup } });
    await organisation.settled();
    return new AttemptFolder(organisation.machine.state, { job, attempt: 1 }).about?.view.failure;
  };
  const says = (path: string, line: number): string => `echo '  File "${path}", line ${line}, in x' >&2; exit 42`;
  const told = Buffer.from('patient 17: positive').toString('base64url');
  const setup = `echo made > made.sh`;
  for (const once of [undefined, setup, setup]) {
    assert.equal((await failure(says('train.sh', 7), once))?.at, 'train.sh:7');
    const written = await failure(`echo x > ${told}; ${says(told, 1)}`, once);
    assert.deepEqual([written?.class, written?.at, written?.exitCode], ['user-code', undefined, 42]);
    assert.equal((await failure(`yes | head -c 99999 >> train.sh; ${says('train.sh', 8_765)}`, once))?.at, undefined);
    assert.equal((await failure(says('made.sh', 1), once))?.at, undefined);
  }
});
