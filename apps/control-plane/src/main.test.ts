import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { startProcess } from './control-plane-process.fixture.ts';
import { embeddedFolder, until } from './control-plane.fixture.ts';
import { TestOrganisation } from './organisation.fixture.ts';

const run = promisify(execFile);
const main = (...args: string[]) => run(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args]);

test('a control plane with its own database: ready line, health, codes made beside it, and a start after kill -9', async (t) => {
  const state = embeddedFolder(t);
  const first = await startProcess(t, { state });
  const { port } = new URL(first.ready.url);
  const house = new TestOrganisation();
  const { client } = await house.enrol(t, first);
  const { stdout } = await main('registration-code', '--state', state);
  assert.match(stdout, /^rfr1\.\S+\n$/);
  // The database that the code was written into still serves the control plane that owns it.
  const other = new TestOrganisation();
  await other.client(t, first, 'nobody').register(other.registration(stdout.trim()));
  const { job } = await client.submit(house.submission());
  const tried = await main('doctor', '--state', state);
  assert.match(tried.stdout, /^! database: it is the embedded PostgreSQL.*\n {4}.*DATABASE_URL/);
  await assert.rejects(main('doctor', '--production', '--state', state), (error: { code: number; stdout: string }) => {
    assert.equal(error.code, 1);
    assert.match(error.stdout, /^✗ database: it is the embedded PostgreSQL/);
    return true;
  });
  const none = join(state, 'none');
  assert.equal((await main('doctor', '--state', none)).stdout, tried.stdout);
  assert.ok(!existsSync(none), 'it made nothing');
  const admin = async (path: string) => {
    const answer = await fetch(`${first.ready['admin']}${path}`);
    return { status: answer.status, text: await answer.text() };
  };
  assert.deepEqual([(await admin('/healthz')).status, (await admin('/readyz')).status], [200, 200]);
  await until('the metrics know', async () =>
    (await admin('/metrics')).text.includes('ringfence_jobs{state="leased"} 1'),
  );
  const { text } = await admin('/metrics');
  assert.ok(text.includes('ringfence_control_links 2') && text.includes('ringfence_placer_term 1'));
  assert.ok(!text.includes(house.org), 'no metric names an organisation');
  first.child.kill('SIGKILL');
  await first.exited;
  const second = await startProcess(t, { state, port });
  assert.deepEqual(
    [second.ready['id'], second.ready['ca_fingerprint']],
    [first.ready['id'], first.ready['ca_fingerprint']],
  );
  assert.equal((await client.job(job)).state, 'leased');
  second.child.kill('SIGTERM');
  assert.deepEqual(await second.exited, { code: 0, signal: null });
});

test('what escapes everything is a line of its log, and ends it', async (t) => {
  const thrown = "process.once('SIGUSR2', () => { throw new TypeError('row 7 of patient anna'); });";
  const nodeFlags = ['--import', `data:text/javascript;base64,${Buffer.from(thrown).toString('base64')}`];
  const { child, exited, log } = await startProcess(t, { state: embeddedFolder(t), nodeFlags });
  child.kill('SIGUSR2');
  assert.deepEqual(await exited, { code: 1, signal: null });
  await until('its last line is here', () => log.at(-1)?.includes('"event":"escaped"') === true);
  assert.match(
    log.at(-1) ?? '',
    /^\{"t":.*"level":"error","role":"control-plane","event":"escaped","code":"unexpected"/,
  );
  assert.doesNotMatch(log.join('\n'), /patient/);
});

test('wrong flags are named with what to do', async (t) => {
  const wrong = [
    ['--stat', 'x'],
    ['run', '--state', embeddedFolder(t), '--listen', 'nowhere'],
    ['serve', '--state', 'x'],
  ];
  for (const args of wrong)
    await assert.rejects(main(...args), (error: { code: number; stderr: string }) => {
      assert.equal(error.code, 1);
      assert.match(error.stderr, /^ringfence control plane: .+\n {2}.+\n$/);
      return true;
    });
});
