// A provider's machine, admitted by somebody whom the organisation pinned, runs a job on evidence that everybody verified; without that nothing starts.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { until } from '@ringfence/base/until';
import { startHouse, type House, type StartedProcess } from '../../scripts/house/index.ts';
import { issueEvidence, joinMachine, keyOf, openMarket, said } from '../../scripts/house/rented-machine.ts';

const root = mkdtempSync(join(tmpdir(), 'ringfence-provider-'));
after(() => rmSync(root, { recursive: true, force: true }));
const at = (name: string): string => join(root, name);

interface Plan {
  readonly considered: number;
  readonly chosen: object | null;
  readonly soleFailures: readonly object[];
}

async function refusesBareCode(house: House): Promise<void> {
  const joinCode = ['agent', 'join-code', '--name', 'bare', '--site', 'bare', '--tier', 'secure-cloud'];
  const { code } = await said<{ code: string }>(house, joinCode);
  const bare = await house.cli(['agent', 'join', '--state', at('bare')], { input: code });
  assert.notEqual(bare.code, 0, 'the code alone is not enough');
}

/** What the placer says, once that is so: the machine's offer and the custodian's word arrive in their own time. */
async function planOf(house: House, job: string, holds: (plan: Plan) => boolean): Promise<Plan> {
  let plan: Plan | undefined;
  await until(async () => {
    plan = await said<Plan>(house, ['plan', job]);
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
  writeFileSync(at('jobs/moved.yaml'), `name: moved\nrun: |\n${script}${retry}\n${privacy}\n`);
  await said(house, ['launch', '-y', '-d', at('jobs/moved.yaml')]);
  const status = () => said<Status>(house, ['status', 'moved']);
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
  // Beside house and papers: a launch from above them would take their keys along, and is refused.
  mkdirSync(at('jobs'));
  const house = await startHouse({ root: at('house'), agents: 0 });
  const spot = { RINGFENCE_SPOT: '1', RINGFENCE_STOP_WITHIN: '16s' };
  let rented: StartedProcess | undefined;
  try {
    const market = await openMarket(house, at('market'));
    await refusesBareCode(house);
    const { site, start } = await joinMachine(market, 'rented', spot);
    rented = await start();
    const job = at('jobs/job.yaml');
    writeFileSync(
      job,
      'name: away\nrun: echo ran away\nretry: {on: [interruption]}\nprivacy: {sensitivity: internal, logs: sealed, place: {tiers: [secure-cloud], require: [iso27001], evidence_grade: documented}}\n',
    );
    const lacking = await planOf(house, job, ({ considered }) => considered === 1);
    assert.equal(lacking.chosen, null);
    assert.deepEqual(lacking.soleFailures, [{ constraint: 'evidence', count: 1 }]);

    const evidence = await issueEvidence(market, site);
    const payload = JSON.parse(readFileSync(evidence, 'utf8')) as { payloadType: string };
    assert.equal(payload.payloadType, 'application/vnd.in-toto+json');
    await said(house, ['provider', 'evidence', 'verify', evidence]);
    await said(house, ['provider', 'evidence', 'add', evidence]);
    await planOf(house, job, ({ chosen }) => chosen !== null);
    const ran = await house.cli(['launch', '-y', job], { within: 120_000 });
    assert.equal(ran.code, 0, ran.stdout + ran.stderr);

    rented = await takenAway(house, rented, start);

    await said(house, [
      'evidence',
      'revoke',
      evidence,
      ...keyOf(market.folder, 'issuer'),
      '--out',
      at('revocation.json'),
    ]);
    await said(house, ['provider', 'evidence', 'revoke', at('revocation.json')]);
    const verified = await house.cli(['provider', 'evidence', 'verify', evidence]);
    assert.match(verified.stderr, /revoked/);
    const gone = await planOf(house, job, ({ chosen }) => chosen === null);
    assert.deepEqual(gone.soleFailures, [{ constraint: 'evidence', count: 1 }]);
  } finally {
    await rented?.stop();
    await house.stop();
  }
});
