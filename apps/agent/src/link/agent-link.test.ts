import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { newId, noFault, silentLog, systemRng as rng } from '@ringfence/base';
import { makeFolder, systemClock as clock } from '@ringfence/base/platform';
import { LinkJournal } from '@ringfence/client/control-link';
import { RecordKey } from '@ringfence/crypto/record';
import { foldKeyring, signHead } from '@ringfence/keyring';
import { committingFact, leasedFact, startingFact, toldFact } from '../attempt/attempt-facts.ts';
import { keyringStatements } from '../attempt/keyring-statements.fixture.ts';
import { IDS, KEYS } from '../attempt/members.fixture.ts';
import { makeIdentity } from '../identity/agent-identity.ts';
import type { Machine } from '../machine/machine.ts';
import { AgentMetrics } from '../metrics.ts';
import { AgentLink } from './agent-link.ts';
import { linkFolder, type JoinedLink } from './joined-link.ts';
import { KeyringCopy } from './keyring-copy.ts';

test('what an earlier process left counts as not over, so that nothing clears its results away', async (t) => {
  const state = mkdtempSync(join(tmpdir(), 'ringfence-agent-'));
  t.after(() => rmSync(state, { recursive: true, force: true }));
  const folder = linkFolder(state, IDS.controlPlane);
  makeFolder(folder);
  const key = RecordKey.generate(rng);
  const { sign, link: tls, seal } = await makeIdentity(folder, key, { clock, rng });
  const keys = { sign: sign.publicKey, tls: tls.key.publicKey, seal: seal.publicKey, allowProcess: true };
  const statements = keyringStatements(keys);
  const about = { custodian: IDS.custodian, epoch: 1, at: clock.now() };
  const head = signHead(foldKeyring(statements), about, KEYS.enrolment);
  KeyringCopy.create(folder, { statements, head, root: KEYS.root.publicKey, clock });
  const party = { id: IDS.agent, org: IDS.org, role: 'agent' } as const;
  const journal = LinkJournal.open({ folder, party, controlPlane: IDS.controlPlane, clock });
  const [left, told] = [
    { job: newId('job', rng), attempt: 1 },
    { job: newId('job', rng), attempt: 1 },
  ];
  for (const id of [left, told])
    for (const fact of [leasedFact(id), startingFact(id), committingFact(id)]) await journal.fact(fact);
  await journal.fact(toldFact(told, 'succeeded'));
  await journal.close();
  const link: JoinedLink = {
    v: 1,
    agent: IDS.agent,
    org: IDS.org,
    orgRoot: KEYS.root.publicKey,
    custodian: IDS.custodian,
    route: { tls: KEYS.custodianTls.publicKey, relay: null, lan: null },
    controlPlane: { id: IDS.controlPlane, url: 'https://127.0.0.1:1', root: KEYS.controlRoot.publicKey, caPin: null },
    offer: IDS.offer,
    allowProcess: true,
    lan: null,
    outer: {},
  };
  const opened = new AgentLink({
    state,
    link,
    key,
    // Nothing is started, and so nothing asked of it.
    machine: {} as Machine,
    metrics: new AgentMetrics(),
    reconnectWithin: undefined,
    stopWithin: 6_000,
    clock,
    rng,
    log: silentLog,
    fault: noFault,
    onState: () => {},
    gateway: undefined,
  });
  t.after(() => opened.stop());
  assert.deepEqual([...opened.jobs], [left.job]);
});
