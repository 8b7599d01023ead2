import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { createLog, newId, noFault, Secret, systemRng as rng } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { TlsKey } from '@ringfence/crypto/certificate';
import { SealPrivateKey } from '@ringfence/crypto/open';
import { RecordKey } from '@ringfence/crypto/record';
import { SigningKey } from '@ringfence/crypto/sign';
import { IDS, KEYS } from '../attempt/members.fixture.ts';
import { readLinks } from '../link/joined-link.ts';
import { custodianAtJoin, type CustodianLies } from './custodian-at-join.fixture.ts';
import { joinOrganisation, type JoinOptions } from './join-organisation.ts';

interface Joining {
  readonly state: string;
  readonly join: (over?: Partial<JoinOptions>) => ReturnType<typeof joinOrganisation>;
}

async function joining(t: TestContext, lies: CustodianLies = {}): Promise<Joining> {
  const state = mkdtempSync(join(tmpdir(), 'ringfence-join-'));
  t.after(() => rmSync(state, { recursive: true, force: true }));
  const { code } = await custodianAtJoin(t, lies);
  const log = createLog({ role: 'agent', clock, level: 'error', write: () => {} });
  const options: JoinOptions = {
    state,
    code,
    key: RecordKey.generate(rng),
    allowProcess: false,
    lan: undefined,
    outer: {},
    clock,
    rng,
    log,
    fault: noFault,
  };
  return { state, join: (over) => joinOrganisation({ ...options, ...over }) };
}

/** But for its own keys, which the next try needs, nothing that the custodian said is on disk. */
function assertNothingStored(state: string): void {
  assert.deepEqual(readLinks(state), []);
  assert.ok(!existsSync(join(state, 'joined.json')));
  const files = readdirSync(state, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  assert.deepEqual(files.map(({ name }) => name).toSorted(), ['identity.sealed', 'tls.pem']);
}

describe('a join', () => {
  it('with an honest custodian stores one link, and is not repeated', async (t) => {
    const { state, join: go } = await joining(t);
    const link = await go();
    assert.deepEqual([link.agent, link.org, link.custodian], [IDS.agent, IDS.org, IDS.custodian]);
    assert.equal(link.controlPlane.root, KEYS.controlRoot.publicKey);
    assert.equal(readLinks(state).length, 1);
    assert.ok(existsSync(join(state, 'joined.json')));
    await assert.rejects(go(), { code: 'already-joined' });
  });

  it('that was cut after the code was spent is finished with the same code and the same keys', async (t) => {
    const { state, join: go } = await joining(t, { spent: true });
    const cut = (point: string): void => {
      if (point === 'join-after-answer') throw new Error('cut');
    };
    await assert.rejects(go({ fault: cut }), /cut/);
    assertNothingStored(state);
    assert.equal((await go()).agent, IDS.agent);
    assert.equal(readLinks(state).length, 1);
  });
});

const stranger = SigningKey.generate(rng).publicKey;
const LIES: Readonly<Record<string, { lies: CustodianLies; error: object }>> = {
  'that does not know the secret of the code': {
    lies: { secret: new Secret(rng.bytes(16)) },
    error: { code: 'wrong-custodian', message: /did not prove/ },
  },
  'that gives the agent its own kind of proof back': {
    lies: { message: 'join-request' },
    error: { code: 'wrong-custodian', message: /did not prove/ },
  },
  'whose proof is about another link': {
    lies: { client: TlsKey.generate(rng).publicKey },
    error: { code: 'wrong-custodian', message: /did not prove/ },
  },
  'with another key on its links': { lies: { tls: TlsKey.generate(rng) }, error: { name: 'ClientError' } },
  'whose keyring leads from another root': { lies: { root: KEYS.stranger }, error: { name: 'KeyringError' } },
  'that says the code is spent, with a keyring from another root': {
    lies: { root: KEYS.stranger, spent: true },
    error: { name: 'KeyringError' },
  },
  'that says the code is spent, and enrolled another signing key': {
    lies: { spent: true, keys: (keys) => ({ ...keys, sign: stranger }) },
    error: { code: 'wrong-custodian', message: /other keys/ },
  },
  'that enrolled another signing key': {
    lies: { keys: (keys) => ({ ...keys, sign: stranger }) },
    error: { code: 'wrong-custodian', message: /other keys/ },
  },
  'that enrolled a sealing key of its own': {
    lies: { keys: (keys) => ({ ...keys, seal: SealPrivateKey.generate(rng).publicKey }) },
    error: { code: 'wrong-custodian', message: /other keys/ },
  },
  'that enrolled another link key': {
    lies: { keys: (keys) => ({ ...keys, tls: TlsKey.generate(rng).publicKey }) },
    error: { code: 'wrong-custodian', message: /does not have this agent/ },
  },
  'that enrolled it as running jobs without a sandbox': {
    lies: { keys: (keys) => ({ ...keys, allowProcess: true }) },
    error: { code: 'wrong-custodian', message: /other keys/ },
  },
  'that names another agent': {
    lies: { answer: (answer) => ({ ...answer, agent: newId('agent', rng) }) },
    error: { code: 'wrong-custodian', message: /does not have this agent/ },
  },
  'that names another root of the control plane': {
    lies: { answer: (answer) => ({ ...answer, controlPlane: { ...answer.controlPlane, root: stranger } }) },
    error: { code: 'wrong-custodian', message: /another control plane/ },
  },
  'that names another address of the control plane': {
    lies: { answer: (answer) => ({ ...answer, controlPlane: { ...answer.controlPlane, url: 'https://127.0.0.1:2' } }) },
    error: { code: 'wrong-custodian', message: /another control plane/ },
  },
  'that calls itself by another id': {
    lies: { answer: (answer) => ({ ...answer, custodian: newId('custodian', rng) }) },
    error: { code: 'wrong-custodian', message: /another self/ },
  },
  'that leaves statements out of the keyring': {
    lies: { answer: (answer) => ({ ...answer, keyring: answer.keyring.toSpliced(1, 1) }) },
    error: { name: 'KeyringError' },
  },
};

describe('a join stores nothing from a custodian', () => {
  for (const [name, { lies, error }] of Object.entries(LIES))
    it(name, async (t) => {
      const { state, join: go } = await joining(t, lies);
      await assert.rejects(go(), error);
      assertNothingStored(state);
    });
});
