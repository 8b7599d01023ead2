// What a customer gets: the archive as built, unpacked on two machines of which neither has a checkout's programs.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startAgent, stateOf, type Ground } from '../../scripts/house/roles.ts';
import { runCli } from '../../scripts/house/run-cli.ts';
import { CHECKOUT, sandboxWorks, startHouse, type House, type StartedProcess } from '../../scripts/house/index.ts';

const EXAMPLE = join(CHECKOUT, 'examples/tabular');
const root = mkdtempSync(join(tmpdir(), 'ringfence-release-'));
let house: House;
let server: Ground;
let agent: StartedProcess | undefined;

/** Unpacks the archive below `root` as a machine of that name has it. */
function unpack(machine: string): string {
  const [archive = 'none'] = readdirSync(join(root, 'dist')).filter((name) => name.endsWith(`${process.arch}.tar.gz`));
  mkdirSync(join(root, machine));
  execFileSync('tar', ['xzf', join(root, 'dist', archive), '-C', join(root, machine)]);
  return join(root, machine, archive.replace(/\.tar\.gz$/, ''));
}

before(async () => {
  execFileSync(process.execPath, [join(CHECKOUT, 'scripts/build.ts'), '--out', join(root, 'dist')], {
    stdio: 'ignore',
  });
  const first = unpack('first');
  house = await startHouse({ root: join(root, 'house'), agents: 0, entries: { kind: 'bundle', folder: first } });
  server = { root: join(root, 'second/house'), entries: { kind: 'bundle', folder: unpack('second') }, env: {} };
});

after(async () => {
  await agent?.stop();
  await house?.stop();
  rmSync(root, { recursive: true, force: true });
});

/** The CLI of the second machine, which has no profile. */
function cliThere(args: readonly string[], input = '') {
  return runCli({ entries: server.entries, home: join(server.root, 'no-home'), args, input });
}

test('a second machine joins with nothing but the archive and a code', async () => {
  const code = await house.cli(['agent', 'join-code', '--name', 'second', '--site', 'elsewhere']);
  assert.equal(code.code, 0, code.stderr);
  const allow = sandboxWorks() ? [] : ['--allow-process'];
  const joined = await cliThere(['agent', 'join', '--state', stateOf(server, 'agent-1'), ...allow], code.stdout);
  assert.equal(joined.code, 0, joined.stderr);
  agent = await startAgent(server, 'agent-1');
});

test('every launcher became the archive’s own Node: no shell stays, and signals reach the program', () => {
  const all = [...house.processes.values(), ...(agent === undefined ? [] : [agent])];
  assert.equal(all.length, 4);
  for (const { name, pid } of all) assert.match(readlinkSync(`/proc/${pid}/exe`), /\/runtime\/bin\/node$/, name);
});

test('a job trains there on the archive’s Node and its model comes back', async () => {
  const added = await house.cli(['dataset', 'add', 'breast-cancer', join(EXAMPLE, 'data'), '--label', 'internal']);
  assert.equal(added.code, 0, added.stderr);
  const run = await house.cli(['launch', '-y', '--json', join(EXAMPLE, 'job.yaml')]);
  assert.equal(run.code, 0, run.stderr);
  assert.match(run.stdout, /"state":"succeeded"/);
  const got = await house.cli(['artifact', 'get', 'tabular-model', '--out', join(root, 'model')]);
  assert.equal(got.code, 0, got.stderr);
  const model: { testAccuracy?: number } = JSON.parse(readFileSync(join(root, 'model/model.json'), 'utf8'));
  assert.ok((model.testAccuracy ?? 0) >= 0.95);
});

test('the archive’s own verifier decodes every frame that the second machine sent', async () => {
  const call = await cliThere(['wire', 'verify', '--state', stateOf(server, 'agent-1'), '--json']);
  assert.equal(call.code, 0, call.stderr);
  const report: { ok: boolean; frames: number } = JSON.parse(call.stdout);
  assert.equal(report.ok, true);
  assert.ok(report.frames > 5, call.stdout);
});
