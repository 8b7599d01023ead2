import assert from 'node:assert/strict';
import { existsSync, lstatSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { until } from '@ringfence/base/until';
import { missing } from '../../../../scripts/needs.ts';
import type { OciRuntime } from './container-level.ts';
import { findContainerRuntimes, findGvisor } from './find-runtime.ts';
import {
  identityOf,
  jobFolder,
  openTestHost,
  planHere,
  runJob,
  startPlan,
  type TestHost,
} from '../sandbox/sandbox-host.fixture.ts';
import type { SandboxSpec } from '../sandbox/spec.ts';

const LEVELS = [
  { level: 'container', runtime: 'runc', needs: missing('root', 'runc') },
  { level: 'container', runtime: 'crun', needs: missing('root', 'crun') },
  { level: 'gvisor', runtime: 'runsc', needs: missing('root', 'runsc') },
] as const;

/** This machine as if it had no other runtime. */
async function openHostWith(t: TestContext, runtime: OciRuntime): Promise<TestHost> {
  const host = await openTestHost(t);
  const found = [...findContainerRuntimes(host.capabilities), ...findGvisor(host.capabilities)];
  const level = found.find((candidate) => candidate.available && candidate.runtime === runtime);
  assert.ok(level !== undefined);
  const name = runtime === 'runsc' ? 'gvisor' : 'container';
  return { ...host, capabilities: { ...host.capabilities, [name]: level } };
}

const script = (text: string): Pick<SandboxSpec, 'command'> => ({ command: { script: text } });

for (const { level, runtime, needs } of LEVELS) {
  suite(`level ${level} by ${runtime}`, { skip: needs }, () => {
    test('keeps exit codes, output, variables and mounts', async (t: TestContext) => {
      const host = await openHostWith(t, runtime);
      const data = join(host.folder, 'data');
      mkdirSync(data, { mode: 0o755 });
      writeFileSync(join(data, 'rows'), 'one\n', { mode: 0o644 });
      const out = jobFolder(host, 'out');
      const done = await runJob(host, {
        level,
        ...script('cat /data/rows; echo "$GREETING" >&2; echo x > /out/made; pwd; echo more > /dev/stdout; exit 7'),
        env: { GREETING: "it's $HOME\nand 'more'" },
        cwd: '/out',
        mounts: [
          { hostPath: data, sandboxPath: '/data', mode: 'ro' },
          { hostPath: out, sandboxPath: '/out', mode: 'rw' },
        ],
      });
      assert.equal(done.stdout, 'one\n/out\nmore\n', done.stderr);
      assert.equal(done.stderr, "it's $HOME\nand 'more'\n");
      assert.equal(done.exit.ended, 'exited');
      assert.equal(done.exit.code, 7);
      assert.equal(readFileSync(join(out, 'made'), 'utf8'), 'x\n');
      assert.equal(statSync(join(out, 'made')).uid, identityOf(host).uid);
    });

    test('shows nothing that can be written but what was given', async (t) => {
      const host = await openHostWith(t, runtime);
      const data = join(host.folder, 'data');
      mkdirSync(data, { mode: 0o777 });
      const { stdout } = await runJob(host, {
        level,
        ...script(`for path in / /etc /usr /data /proc ${level === 'gvisor' ? '' : '/dev'} /ringfence /run /var; do
          (echo x > $path/planted) 2>/dev/null && echo "wrote $path"; done
          (echo x > /etc/passwd) 2>/dev/null && echo wrote passwd
          (echo x > /tmp/fine) && echo tmp; ls /`),
        mounts: [{ hostPath: data, sandboxPath: '/data', mode: 'ro' }],
      });
      const [first, ...names] = stdout.trim().split('\n');
      assert.equal(first, 'tmp');
      for (const name of ['home', 'root', 'var', 'boot', 'srv', 'opt', 'mnt']) assert.ok(!names.includes(name), name);
      assert.ok(!existsSync(join(data, 'planted')));
    });

    test('says that a command that is not there was not started', async (t) => {
      const host = await openHostWith(t, runtime);
      const { exit } = await runJob(host, { level, command: ['/no/such/program'] });
      assert.equal(exit.ended, 'not-started');
    });

    test('ends by SIGTERM as the job wishes, and by SIGKILL after the grace', async (t) => {
      const host = await openHostWith(t, runtime);
      const polite = await startPlan(
        host,
        planHere(host, { level, ...script('trap "echo bye; exit 3" TERM; echo up; while :; do sleep 0.1; done') }),
      );
      await until(() => polite.stdout().includes('up'), 'it is up');
      const ended = await polite.running.stop(30_000);
      assert.deepEqual([ended.ended, ended.code, polite.stdout()], ['stopped', 3, 'up\nbye\n']);
      const stubborn = await startPlan(
        host,
        planHere(host, { level, slot: 4, ...script('trap "" TERM; echo up; while :; do sleep 0.1; done') }),
      );
      await until(() => stubborn.stdout().includes('up'), 'it is up');
      assert.equal((await stubborn.running.stop(200)).ended, 'stopped');
    });

    test('is bounded in memory and processes', async (t) => {
      const host = await openHostWith(t, runtime);
      const memory = await runJob(host, {
        level,
        ...script('tail -c 600000000 /dev/zero | tail -n 1 > /dev/null'),
        limits: { memoryBytes: 64_000_000, hardMemory: true, pids: 64 },
      });
      assert.equal(memory.exit.oom, true);
      const forks = await runJob(host, {
        level,
        ...script('i=0; while [ $i -lt 600 ]; do sleep 30 & i=$((i+1)); done; echo all; kill $(jobs -p)'),
        limits: { pids: 16, memoryBytes: 500_000_000 },
        maxDurationMs: 60_000,
        stopGraceMs: 1,
      });
      assert.ok(!forks.stdout.includes('all'), forks.stdout);
    });

    test('leaves nothing in the state folder and no cgroup', async (t) => {
      const host = await openHostWith(t, runtime);
      const job = await startPlan(host, planHere(host, { level, ...script('echo up; exec sleep 60') }));
      await until(() => job.stdout() === 'up\n', 'it is up');
      assert.ok((job.running.usage()?.cpuMs ?? 0) > 0);
      await job.running.stop(0);
      assert.throws(() => lstatSync(`/proc/${job.running.pid}`));
    });
  });
}
