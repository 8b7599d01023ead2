import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ManualClock, newId, utf8 } from '@ringfence/base';
import { NoteKey } from '@ringfence/crypto/note';
import { signHead } from '@ringfence/keyring';
import { SampleOrganisation } from '@ringfence/keyring/samples';
import {
  appendEntries,
  edgeRoot,
  EMPTY_LOG,
  formatVerifierKey,
  originOf,
  signCheckpoint,
  verifierKey,
} from '@ringfence/ledger/tlog';
import type { AuditHead } from '@ringfence/protocol/api';
import type { Session } from '../session.ts';
import { LogMemory } from './known-logs.ts';
import { openLog, showLog } from './open-log.ts';

const sample = new SampleOrganisation('open log');
const { org, rng } = sample;
const custodian = sample.addCustodian();
const controlPlane = newId('controlPlane', rng);
const key = NoteKey.generate(rng);
const origin = originOf(controlPlane, org, 1);

/** A log of so many entries that goes by this name. */
function logOf(size: number, name = origin, by = key): AuditHead {
  const { tree } = appendEntries(
    EMPTY_LOG,
    Array.from({ length: size }, (_, at) => utf8(`entry ${at}`)),
  ).edge;
  const checkpoint = signCheckpoint({ origin: name, size, root: edgeRoot(tree), extensions: [] }, { name, key: by });
  return { origin: name, key: formatVerifierKey(verifierKey(name, 'note', by.publicKey)), size, checkpoint };
}

/** Both sides: each shows the log, and the custodian's keyring states this epoch. */
function sessionOf(head: AuditHead, epoch = 1): Session {
  const { statements, keyring, now } = sample;
  const signed = signHead(keyring, { custodian: custodian.id, epoch, at: now }, custodian.enrolment);
  const audit = async () => head;
  const profile = { org, orgRoot: sample.root.publicKey, controlPlane: { id: controlPlane }, custodian };
  const theirs = {
    audit,
    auditWitnessed: async () => ({ controlPlane: null, cosigned: [], accusations: [] }),
    keyring: async () => ({ statements, head: signed }),
  };
  return { profile, custodian: theirs, controlPlane: { audit } } as unknown as Session;
}

/** A device that has met no log. */
function start(t: TestContext): { context: { home: string; clock: ManualClock }; memory: LogMemory } {
  const home = mkdtempSync(join(tmpdir(), 'rf-open-log-'));
  t.after(() => rmSync(home, { recursive: true }));
  return { context: { home, clock: new ManualClock(sample.now) }, memory: new LogMemory(home) };
}

test('a log that was rolled back behind what this device verified is opened for nothing, and shown as what it is', async (t) => {
  const { context, memory } = start(t);
  const before = logOf(7);
  assert.equal((await openLog(context, sessionOf(before), memory, 'control-plane')).verifiedBefore, 0);
  memory.remember(origin, before.checkpoint ?? assert.fail());
  const session = sessionOf(logOf(3));
  await assert.rejects(openLog(context, session, memory, 'control-plane'), {
    code: 'check-failed',
    message: /has 3 .* had 7/,
  });
  const { head, verifiedBefore } = await showLog(context, session, memory, 'control-plane');
  assert.deepEqual([head.size, verifiedBefore], [3, 7]);
  assert.equal((await openLog(context, sessionOf(logOf(8)), memory, 'control-plane')).verifiedBefore, 7);
});

const other = { code: 'not-trusted', message: /shows another log than its own/ };

test('a control plane has one log: of another name nothing is taken, whatever key signed it', async (t) => {
  const { context, memory } = start(t);
  memory.meet(origin, logOf(7).key);
  memory.remember(origin, logOf(7).checkpoint ?? assert.fail());
  for (const name of [originOf(controlPlane, org, 2), originOf(newId('controlPlane', rng), org, 1)])
    for (const by of [key, NoteKey.generate(rng)]) {
      await assert.rejects(showLog(context, sessionOf(logOf(3, name, by), 2), memory, 'control-plane'), other);
      assert.equal(memory.keyOf(name), undefined, 'it was not even met');
    }
});

test('a custodian has the log of the epoch that its signed keyring states', async (t) => {
  const { context, memory } = start(t);
  const [first, second] = [1, 2].map((epoch) => originOf(custodian.id, org, epoch));
  const shows = (name: string | undefined, epoch: number) =>
    openLog(context, sessionOf(logOf(3, name), epoch), memory, 'custodian');
  assert.equal((await shows(first, 1)).answer.origin, first);
  await assert.rejects(shows(second, 1), other, 'nothing was restored');
  await assert.rejects(shows(origin, 1), other, 'somebody else’s');
  assert.equal((await shows(second, 2)).answer.origin, second);
  await assert.rejects(shows(first, 2), other, 'the log before the restore');
});
