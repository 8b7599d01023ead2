import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Secret, systemRng } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { until } from '@ringfence/base/until';
import { need } from '../../../../scripts/needs.ts';
import { findContainerRuntimes, findGvisor } from '../oci/find-runtime.ts';
import { finish, jobFolder, openTestHost, planHere, runJob, startPlan } from './sandbox-host.fixture.ts';
import type { TestHost } from './sandbox-host.fixture.ts';
import type { SandboxLevel } from './isolation.ts';
import { startSandbox } from './start-sandbox.ts';

const SECRET = `s3cret-${process.pid}-marker`;

/** Processes of the machine whose `file` in /proc holds the secret. */
function processesShowing(file: 'cmdline' | 'environ'): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/${file}`, 'latin1').includes(SECRET);
      } catch {
        return false;
      }
    })
    .map(Number);
}

function nameOf(pid: number): string {
  return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
}

async function environmentOf(host: TestHost, level: SandboxLevel): Promise<Record<string, string>> {
  const env = { A: 'b c', QUOTED: `'"$\\\n\t`, SHLVL: '7' };
  const { stdout, exit } = await runJob(host, { level, command: ['/usr/bin/env', '-0'], env });
  assert.equal(exit.code, 0);
  return Object.fromEntries(
    stdout
      .split('\0')
      .slice(0, -1)
      .map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  );
}

test('the environment of a sandboxed job is exactly what was asked for', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  process.env['AGENT_ONLY'] = SECRET;
  t.after(() => delete process.env['AGENT_ONLY']);
  assert.deepEqual(await environmentOf(await openTestHost(t), 'sandbox'), {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    HOME: '/tmp',
    LANG: 'C.UTF-8',
    PWD: '/tmp',
    A: 'b c',
    QUOTED: `'"$\\\n\t`,
    SHLVL: '7',
  });
});

test('the environment at level process adds only the marker and its own temporary folder', async (t) => {
  const {
    RINGFENCE_SANDBOX: marker,
    HOME,
    TMPDIR,
    PWD,
    ...rest
  } = await environmentOf(await openTestHost(t), 'process');
  assert.match(marker ?? '', /^[0-9a-f]{32}$/);
  assert.equal(HOME, TMPDIR);
  assert.equal(PWD, TMPDIR);
  assert.match(TMPDIR ?? '', /ringfence-job-/);
  assert.deepEqual(rest, {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    LANG: 'C.UTF-8',
    A: 'b c',
    QUOTED: `'"$\\\n\t`,
    SHLVL: '7',
  });
});

for (const level of ['sandbox', 'process'] as const)
  test(`secrets at level ${level} are in no command line, and in the environment of the job’s own processes alone`, async (t) => {
    if (level === 'sandbox' && !need(t, 'bubblewrap')) return;
    const host = await openTestHost(t);
    const script = `: ${SECRET}-in-script; test -n "$TOKEN" && echo ready; sleep 60`;
    const job = await startPlan(host, planHere(host, { level, command: { script }, env: { TOKEN: SECRET } }));
    try {
      await until(() => job.stdout().includes('ready'), 'the job runs');
      await until(() => processesShowing('environ').some((pid) => nameOf(pid) === 'sleep'), 'its child runs');
      assert.deepEqual(processesShowing('cmdline'), []);
      const holders = processesShowing('environ').map(nameOf);
      // The control: the job's own child has it, so the search finds what there is to find.
      assert.ok(holders.includes('sleep'));
      for (const name of holders) assert.ok(['sh', 'bash', 'dash', 'sleep'].includes(name), `${name} holds the secret`);
    } finally {
      await job.running.stop(0);
    }
  });

const WRAPPED = [
  { level: 'process', needs: [], holders: ['sleep'] },
  { level: 'sandbox', needs: ['bubblewrap'], holders: ['sleep'] },
  { level: 'container', needs: ['root', 'runc'], holders: ['sleep'] },
  // Its processes are none of the machine's.
  { level: 'gvisor', needs: ['root', 'runsc'], holders: [] },
] as const;
for (const { level, needs, holders } of WRAPPED)
  test(`what the job's own shell exports is in no environment of what starts it at level ${level}`, async (t) => {
    if (!needs.every((what) => need(t, what))) return;
    const probed = await openTestHost(t);
    const [container] = findContainerRuntimes(probed.capabilities);
    const [gvisor] = findGvisor(probed.capabilities);
    const capabilities = {
      ...probed.capabilities,
      ...(container === undefined ? {} : { container }),
      ...(gvisor === undefined ? {} : { gvisor }),
    };
    const host = { ...probed, capabilities };
    const script = `export TOKEN='${SECRET}'; sleep 60 & echo ready; wait`;
    const job = await startPlan(host, planHere(host, { level, command: { script } }));
    try {
      await until(() => job.stdout().includes('ready'), 'the job runs');
      await until(() => processesShowing('environ').length >= holders.length, 'its child runs');
      assert.deepEqual(processesShowing('cmdline'), []);
      assert.deepEqual(processesShowing('environ').map(nameOf), holders);
    } finally {
      await job.running.stop(0);
    }
  });

test('a script that did not come whole does nothing', async (t) => {
  const host = await openTestHost(t);
  const plan = planHere(host, { level: 'process', command: { script: 'echo one\necho two' } });
  const cut = plan.launch.inputs.map((input) =>
    input.fd === 4 ? { ...input, bytes: new Secret(input.bytes.expose().slice(0, 9)) } : input,
  );
  const { stdout, exit } = await finish(await startPlan(host, { ...plan, launch: { ...plan.launch, inputs: cut } }));
  assert.deepEqual([stdout, exit.code], ['', 125]);
});

test('a job inherits standard input, output and error, no other descriptor', async (t) => {
  const host = await openTestHost(t);
  for (const level of ['process', 'sandbox'] as const) {
    if (level === 'sandbox' && !need(t, 'bubblewrap')) return;
    const script = 'ls /proc/$$/fd; echo out >/dev/stdout; echo err >/dev/stderr';
    const { stdout, stderr } = await runJob(host, { level, command: ['/bin/sh', '-c', script] });
    assert.equal(stdout, '0\n1\n2\nout\n', level);
    assert.equal(stderr, 'err\n', level);
  }
});

test('output arrives whole, also what a child writes after its parent', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  const host = await openTestHost(t);
  const { stdout } = await runJob(host, { command: ['/usr/bin/head', '-c', '5000000', '/dev/zero'] });
  assert.equal(stdout.length, 5_000_000);
  const both = await runJob(host, { command: { script: 'echo a; (echo b; echo c) & wait' } });
  assert.equal(both.stdout, 'a\nb\nc\n');
});

test('a slow reader holds the job back instead of filling memory', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  const host = await openTestHost(t);
  const mounts = [{ hostPath: jobFolder(host, 'out'), sandboxPath: '/out', mode: 'rw' as const }];
  const command = { script: 'head -c 5000000 /dev/zero; touch /out/done' };
  const reading = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  let bytes = 0;
  const running = await startSandbox(planHere(host, { command, mounts }), {
    stateDir: host.stateDir,
    clock: systemClock,
    rng: systemRng,
    onStdout: (chunk) => {
      bytes += chunk.length;
      reading.resolve();
      return released.promise;
    },
    onStderr: () => {},
  });
  await reading.promise;
  // Another whole job is time enough for this one, were it not held back.
  await runJob(host, { slot: 4, command: ['/usr/bin/head', '-c', '5000000', '/dev/zero'] });
  assert.ok(bytes < 200_000);
  assert.ok(!existsSync(join(host.folder, 'out', 'done')));
  released.resolve();
  assert.equal((await running.exited).code, 0);
  assert.equal(bytes, 5_000_000);
});
