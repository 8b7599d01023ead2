// The verifier that was written from the documents alone says what ours says: of good journals, and of journals that were changed.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { fromHex, newId, Secret, seededRng, systemRng, toHex } from '@ringfence/base';
import { until } from '@ringfence/base/until';
import { journalLines, journalParts, readHandshakeSeed, readLinkKeys } from '@ringfence/client/control-link';
import { SigningKey } from '@ringfence/crypto/sign';
import { LedgerError, readSessionKeys, wireVerify, type JournalRecord } from '@ringfence/ledger';
import { LoopbackControlPlane } from '../../core/client/src/control-link/control-plane.fixture.ts';
import { fastClock } from '../../core/client/src/control-link/fast-clock.fixture.ts';
import { dial, newParty } from '../../core/client/src/control-link/party.fixture.ts';
import { need } from '../../scripts/needs.ts';
import { chained, mutated } from './mutated-journal.ts';

const ROOT = join(import.meta.dirname, '../..');
const VERIFIER = join(ROOT, 'tools/wire_verify.py');
const VECTORS = join(ROOT, 'core/ledger/src/wire/vectors/link-v1');
const MUTATIONS = process.env['RINGFENCE_TEST_FULL'] === '1' ? 300 : 40;
const work = mkdtempSync(join(tmpdir(), 'ringfence-verifier-'));
after(() => rmSync(work, { recursive: true, force: true }));

interface Judgement {
  readonly ok: boolean;
  readonly broken: string | null;
  readonly problems: readonly string[];
  readonly head: string;
  readonly smuggling: unknown;
}

interface PythonReport {
  readonly folder: string;
  readonly ok: boolean;
  readonly broken: { seq: number; code: string } | null;
  readonly problems: readonly { seq: number; code: string }[];
  readonly head: string;
  readonly smuggling: Record<'job' | 'agent', object> | null;
}

/** What the Python verifier says of every link folder below `state`, by its name. */
function theirs(state: string, seed?: SigningKey): Map<string, Judgement> {
  const key = seed === undefined ? [] : ['--party-seed', toHex(seed.seed().expose())];
  const { stdout, stderr, status } = spawnSync('python3', [VERIFIER, '--json', '--state', state, ...key], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  assert.ok(status === 0 || status === 1, stderr);
  const { links }: { links: PythonReport[] } = JSON.parse(stdout);
  return new Map(
    links.map(({ folder, ok, broken, problems, head, smuggling }) => {
      const said = problems.map(({ seq, code }) => `${seq} ${code}`);
      const where = broken === null ? null : `${broken.seq} ${broken.code}`;
      return [basename(folder), { ok, broken: where, problems: said, head, smuggling }];
    }),
  );
}

/** What ours says of one folder. */
function ours(folder: string, signing?: SigningKey): Judgement {
  const keys = readLinkKeys(folder);
  assert.ok(keys !== undefined);
  const parts = journalParts(folder);
  let broken: string | null = null;
  const records: JournalRecord[] = [];
  try {
    for (const record of journalLines(parts)) records.push(record);
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    broken = /record (\d+) \((.*)\)/.exec(error.message)?.slice(1).join(' ') ?? error.message;
  }
  const sessions = readSessionKeys(readFileSync(join(folder, 'sessions.jsonl'), 'utf8'));
  const report = wireVerify({ records, sessions, keys: { ...keys, signing, seed: readHandshakeSeed(folder) } });
  const { job, agent } = report.smuggling;
  return {
    ok: broken === null && report.ok,
    broken,
    problems: report.problems.map(({ seq, code }) => `${seq} ${code}`),
    head: report.head,
    smuggling: { job, agent },
  };
}

/** A reading that broke off says where; what would come after is not asked. */
function comparable({ ok, broken, problems, head, smuggling }: Judgement): object {
  return broken === null ? { ok, problems, head, smuggling } : { ok, broken };
}

function vectorFolder(name: string): { folder: string; key: SigningKey } {
  const folder = join(work, name, 'link');
  mkdirSync(folder, { recursive: true });
  for (const file of ['journal.jsonl', 'sessions.jsonl']) cpSync(join(VECTORS, file), join(folder, file));
  const { party, root, controlPlane, partySeed } = JSON.parse(readFileSync(join(VECTORS, 'keys.json'), 'utf8'));
  writeFileSync(join(folder, 'link-keys.json'), JSON.stringify({ v: 1, controlPlane, root, party }));
  return { folder, key: SigningKey.fromSeed(new Secret(fromHex(partySeed))) };
}

/** An agent's journal of several segments with a lease's steps, made by the real code. */
async function livedFolder(t: TestContext, name: string): Promise<{ folder: string; key: SigningKey }> {
  const clock = fastClock(200);
  const controlPlane = new LoopbackControlPlane(clock);
  controlPlane.heartbeatMs = 10_000;
  const certificates = mkdtempSync(join(tmpdir(), 'ringfence-verifier-ca-'));
  t.after(() => rmSync(certificates, { recursive: true, force: true }));
  await controlPlane.listen(certificates);
  t.after(() => controlPlane.close());
  const identity = newParty();
  const row = controlPlane.admit({ ...identity.party, sign: identity.key.publicKey });
  const folder = join(work, name, 'link');
  const run = { job: newId('job', systemRng), attempt: 1 };
  const begin = () =>
    dial(t, controlPlane, {
      identity,
      folder,
      clock,
      limits: { bytes: 32_768, age: 86_400_000 },
      heartbeat: () => ({ attempts: [{ ...run, memory: 20, cpu: 3 }] }),
    });
  const party = begin();
  await until(() => party.link.state === 'up', 'the link');
  await party.link.send({ name: 'attempt-status', body: { ...run, state: 'running' } });
  controlPlane.enqueue(row, { name: 'stop', body: { ...run, graceMs: 5, reason: 'drain' } });
  await until(() => row.received === 1 && row.acknowledged === 1, 'both messages');
  await until(() => readdirSync(folder).filter((file) => file.includes('folded')).length >= 2, 'two segments');
  await party.close();
  const again = begin();
  await until(() => again.link.state === 'up', 'a second start');
  await again.link.send({ name: 'attempt-status', body: { ...run, state: 'stopped', outcome: 'succeeded' } });
  await until(() => row.received === 2, 'the last message');
  await again.close();
  return { folder, key: identity.key };
}

test('Ed25519, X25519, ML-KEM and AES-GCM of the Python verifier are those of Node', (t) => {
  if (!need(t, 'python3')) return;
  const script = join(import.meta.dirname, 'python_primitives.py');
  const { stdout, stderr, status } = spawnSync('python3', [script, join(ROOT, 'tools')], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const said: Record<string, string>[] = JSON.parse(stdout);
  assert.ok(said.length >= 8);
  const node = join(import.meta.dirname, 'node-primitives.ts');
  const checked = execFileSync(process.execPath, [node], { input: stdout, encoding: 'utf8' });
  assert.equal(checked.trim(), `${said.length} agree`);
});

test('both verifiers accept a journal of the first format and one in segments, and count the same', async (t) => {
  if (!need(t, 'python3')) return;
  for (const { folder, key } of [vectorFolder('good'), await livedFolder(t, 'lived')]) {
    for (const signing of [undefined, key]) {
      const mine = ours(folder, signing);
      assert.deepEqual(mine.problems, []);
      assert.ok(mine.ok);
      assert.deepEqual(theirs(folder, signing).get('link'), mine);
    }
  }
});

test(`both say the same of ${MUTATIONS} changed journals`, async (t) => {
  if (!need(t, 'python3')) return;
  const seed = process.env['RINGFENCE_SEED'] ?? String(Date.parse('2026-01-01') + process.pid);
  t.diagnostic(`RINGFENCE_SEED=${seed}`);
  const rng = seededRng(seed);
  const state = join(work, 'mutated');
  const whats = new Map<string, string>();
  const sources = [vectorFolder('source-1').folder, (await livedFolder(t, 'source-2')).folder];
  for (const [index, source] of sources.entries()) {
    const records = [...journalLines(journalParts(source))];
    for (let n = 0; n < MUTATIONS / sources.length; n += 1) {
      const name = `m${index}-${n}`;
      const folder = join(state, name);
      mkdirSync(folder, { recursive: true });
      for (const file of ['sessions.jsonl', 'link-keys.json', 'handshake-seed'])
        if (existsSync(join(source, file))) cpSync(join(source, file), join(folder, file));
      const { text, what } = n === 0 ? { text: chained(records), what: 'nothing' } : mutated(records, rng);
      writeFileSync(join(folder, 'journal.jsonl'), text, 'latin1');
      whats.set(name, what);
    }
  }
  const judged = theirs(state);
  let refused = 0;
  for (const [name, what] of whats) {
    const mine = ours(join(state, name));
    const other = judged.get(name);
    assert.ok(other !== undefined);
    assert.deepEqual(comparable(other), comparable(mine), `${name}: ${what}`);
    if (!mine.ok) refused += 1;
  }
  t.diagnostic(`${refused} of ${whats.size} are refused by both`);
  assert.ok(refused > whats.size * 0.8);
});
