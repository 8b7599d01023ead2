// A provider's machine, admitted by somebody whom the organisation pinned, runs a job on evidence that everybody verified; without that nothing starts.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { until } from '@ringfence/base/until';
import { startHouse, stateOf, type House, type StartedProcess } from '../../scripts/house/index.ts';
import { startAgent } from '../../scripts/house/roles.ts';

const root = mkdtempSync(join(tmpdir(), 'ringfence-provider-'));
after(() => rmSync(root, { recursive: true, force: true }));
const passphrase = join(root, 'passphrase');
const at = (name: string): string => join(root, name);

async function cli<T>(house: House, args: readonly string[], input?: string): Promise<T> {
  const { code, stdout, stderr } = await house.cli([...args, '--json'], input === undefined ? {} : { input });
  assert.equal(code, 0, `${args.slice(0, 3).join(' ')}:\n${stderr}`);
  return (stdout.trim() === '' ? {} : JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}')) as T;
}

const key = (name: string) => ['--key-file', at(name), '--passphrase-file', passphrase];

interface Certified {
  readonly agent: string;
  readonly site: string;
}

/** Makes everybody's keys, pins admitter and issuer, and joins a machine with its papers. */
async function joinRented(house: House, state: string): Promise<Certified & { provider: string }> {
  writeFileSync(passphrase, 'five random words for a test');
  const admitter = await cli<{ key: string }>(house, ['admitter', 'init', ...key('admitter.key')]);
  const issuer = await cli<{ key: string }>(house, ['evidence', 'init', ...key('issuer.key')]);
  const tier = ['--tier', 'secure-cloud'];
  const init = ['provider', 'init', ...tier, ...key('authority.key')];
  const authority = await cli<{ key: string; provider: string }>(house, init);
  await cli(house, ['keyring', 'add-admitter', admitter.key, ...tier]);
  await cli(house, ['keyring', 'add-issuer', issuer.key, '--standard', 'iso27001']);
  const { provider } = authority;
  const admission = ['--provider', provider, ...tier, '--authority', authority.key, '--jurisdiction', 'DE'];
  await cli(house, ['admitter', 'admit', ...admission, ...key('admitter.key'), '--out', at('admission.json')]);
  const { stdout } = await house.cli(['agent', 'keys', '--state', state]);
  writeFileSync(at('keys.json'), stdout);
  const vouch = ['--keys', at('keys.json'), '--admission', at('admission.json'), '--jurisdiction', 'DE'];
  const certify = ['provider', 'certify', ...vouch, ...key('authority.key'), '--out', at('machine.json')];
  const certified = await cli<Certified>(house, certify);
  const joinCode = ['agent', 'join-code', '--name', 'rented', '--site', 'cloud', ...tier];
  const { code } = await cli<{ code: string }>(house, joinCode);
  const papers = ['--admission', at('admission.json'), '--machine', at('machine.json')];
  const { code: bare } = await house.cli(['agent', 'join', '--state', at('bare')], { input: code });
  assert.notEqual(bare, 0, 'the code alone is not enough');
  await cli(house, ['agent', 'join', '--state', state, ...papers], code);
  return { ...certified, provider };
}

interface Plan {
  readonly considered: number;
  readonly chosen: object | null;
  readonly soleFailures: readonly object[];
}

/** What the placer says, once that is so: the machine's offer and the custodian's word arrive in their own time. */
async function planOf(house: House, job: string, holds: (plan: Plan) => boolean): Promise<Plan> {
  let plan: Plan | undefined;
  await until(async () => {
    plan = await cli<Plan>(house, ['plan', job]);
    return holds(plan);
  });
  return plan ?? assert.fail();
}

interface Status {
  readonly state: string;
  readonly attempts: readonly { readonly outcome: string | null }[];
}

/** A spot machine is told to go while a job runs: the job writes its checkpoint, is not sent back there, and goes on from it later. */
async function takenAway(
  house: House,
  rented: StartedProcess,
  back: () => Promise<StartedProcess>,
): Promise<StartedProcess> {
  const lines = [
    'if [ -f /out/ckpt/step ]; then echo "went on from $(cat /out/ckpt/step)"; exit 0; fi',
    "trap 'sleep 4; echo 23 > /out/ckpt/step; exit 143' TERM",
    'echo up; while :; do sleep 0.1; done',
  ];
  const privacy =
    'privacy: {sensitivity: internal, logs: sealed, place: {tiers: [secure-cloud], require: [iso27001], evidence_grade: documented}}';
  const retry = 'outputs: {/out: {artifact: moved}}\nretry: {on: [interruption], max: 3, checkpoint: /out/ckpt}';
  const script = lines.map((line) => `  ${line}\n`).join('');
  writeFileSync(at('moved.yaml'), `name: moved\nrun: |\n${script}${retry}\n${privacy}\n`);
  await cli(house, ['launch', '-y', '-d', at('moved.yaml')]);
  const status = () => cli<Status>(house, ['status', 'moved']);
  const log = async (attempt: number) => (await house.cli(['logs', 'moved', '--attempt', String(attempt)])).stdout;
  await until(async () => (await log(1)).includes('up'), 'it runs');
  await rented.stop();
  const gone = await status();
  assert.deepEqual(
    gone.attempts.map(({ outcome }) => outcome),
    ['interrupted'],
    'it was not sent back',
  );
  const again = await back();
  await until(async () => (await status()).state === 'succeeded', 'it goes on');
  assert.match(await log(2), /^went on from 23$/m);
  return again;
}

test('a secure-cloud machine joins with its papers and runs what its evidence allows', async () => {
  const house = await startHouse({ root: at('house'), agents: 0 });
  const spot = { RINGFENCE_SPOT: '1', RINGFENCE_STOP_WITHIN: '16s' };
  const ground = { root: house.root, entries: { kind: 'source' }, env: { rented: spot } } as const;
  const state = stateOf(ground, 'rented');
  let rented: Awaited<ReturnType<typeof startAgent>> | undefined;
  try {
    const { site, provider } = await joinRented(house, state);
    rented = await startAgent(ground, 'rented');
    const job = at('job.yaml');
    writeFileSync(
      job,
      'name: away\nrun: echo ran away\nretry: {on: [interruption]}\nprivacy: {sensitivity: internal, logs: sealed, place: {tiers: [secure-cloud], require: [iso27001], evidence_grade: documented}}\n',
    );
    const lacking = await planOf(house, job, ({ considered }) => considered === 1);
    assert.equal(lacking.chosen, null);
    assert.deepEqual(lacking.soleFailures, [{ constraint: 'evidence', count: 1 }]);

    writeFileSync(at('certificate.pdf'), 'ISO 27001 certificate');
    const shown = ['--document', at('certificate.pdf'), '--standard', 'iso27001', '--grade', 'third-party'];
    const scope = ['--site', site, '--provider', provider];
    const out = ['--out', at('evidence.json')];
    await cli(house, ['evidence', 'issue', ...shown, ...scope, ...key('issuer.key'), ...out]);
    const payload = JSON.parse(readFileSync(at('evidence.json'), 'utf8')) as { payloadType: string };
    assert.equal(payload.payloadType, 'application/vnd.in-toto+json');
    await cli(house, ['provider', 'evidence', 'verify', at('evidence.json')]);
    await cli(house, ['provider', 'evidence', 'add', at('evidence.json')]);
    await planOf(house, job, ({ chosen }) => chosen !== null);
    const ran = await house.cli(['launch', '-y', job], { within: 120_000 });
    assert.equal(ran.code, 0, ran.stdout + ran.stderr);

    rented = await takenAway(house, rented, () => startAgent(ground, 'rented'));

    await cli(house, ['evidence', 'revoke', at('evidence.json'), ...key('issuer.key'), '--out', at('revocation.json')]);
    await cli(house, ['provider', 'evidence', 'revoke', at('revocation.json')]);
    const verified = await house.cli(['provider', 'evidence', 'verify', at('evidence.json')]);
    assert.match(verified.stderr, /revoked/);
    const gone = await planOf(house, job, ({ chosen }) => chosen === null);
    assert.deepEqual(gone.soleFailures, [{ constraint: 'evidence', count: 1 }]);
  } finally {
    await rented?.stop();
    await house.stop();
  }
});
