import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { newId, seededRng, utf8 } from '@ringfence/base';
import { NoteKey } from '@ringfence/crypto/note';
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

const rng = seededRng('open log');
const key = NoteKey.generate(rng);
const origin = originOf(newId('controlPlane', rng), newId('org', rng), 1);

/** A control plane whose log has so many entries. */
function sessionOf(size: number): { session: Session; head: AuditHead } {
  const { tree } = appendEntries(
    EMPTY_LOG,
    Array.from({ length: size }, (_, at) => utf8(`entry ${at}`)),
  ).edge;
  const checkpoint = signCheckpoint({ origin, size, root: edgeRoot(tree), extensions: [] }, { name: origin, key });
  const head = { origin, key: formatVerifierKey(verifierKey(origin, 'note', key.publicKey)), size, checkpoint };
  const custodian = { auditWitnessed: async () => ({ controlPlane: null, cosigned: [], accusations: [] }) };
  return { session: { custodian, controlPlane: { audit: async () => head } } as unknown as Session, head };
}

test('a log that was rolled back behind what this device verified is opened for nothing, and shown as what it is', async (t) => {
  const home = mkdtempSync(join(tmpdir(), 'rf-open-log-'));
  t.after(() => rmSync(home, { recursive: true }));
  const memory = new LogMemory(home);
  const before = sessionOf(7);
  assert.equal((await openLog(before.session, memory, 'control-plane')).verifiedBefore, 0);
  memory.remember(origin, before.head.checkpoint ?? assert.fail());
  const { session } = sessionOf(3);
  await assert.rejects(openLog(session, memory, 'control-plane'), { code: 'check-failed', message: /has 3 .* had 7/ });
  const { head, verifiedBefore } = await showLog(session, memory, 'control-plane');
  assert.deepEqual([head.size, verifiedBefore], [3, 7]);
  assert.equal((await openLog(sessionOf(8).session, memory, 'control-plane')).verifiedBefore, 7);
});
