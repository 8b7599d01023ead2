import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@ringfence/base/platform';
import { need } from '../../../../scripts/needs.ts';
import { reapOrphans } from './reap-orphans.ts';
import { identityOf, nodeRuntime, openTestHost } from './sandbox-host.fixture.ts';

/** An agent process without any privilege, on a machine where the test itself may have them. */
async function runAsUser(
  t: TestContext,
  level: string,
  script: string,
): Promise<{ lines: string[]; stateDir: string }> {
  const host = await openTestHost(t);
  const root = process.getuid?.() === 0;
  const user = root ? identityOf(host, 60) : null;
  const stateDir = join(host.folder, 'user-state');
  mkdirSync(stateDir, { mode: 0o700 });
  if (user !== null) chownSync(stateDir, user.uid, user.gid);
  // One file, since the user may not reach the checkout.
  const program = join(host.folder, 'agent.mjs');
  const bundler = join(dirname(fileURLToPath(import.meta.resolve('esbuild/package.json'))), 'bin', 'esbuild');
  const source = join(import.meta.dirname, 'agent-process.fixture.ts');
  execFileSync(bundler, [
    source,
    '--bundle',
    '--platform=node',
    '--format=esm',
    '--log-level=error',
    `--outfile=${program}`,
  ]);
  chmodSync(program, 0o644);
  const node = root ? join(nodeRuntime(host).hostPath, 'bin', 'node') : process.execPath;
  const agent = spawn(node, [program, stateDir, level, 'cgroup', script], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: '/',
    env: { PATH: '/usr/bin:/bin' },
    ...user,
  });
  const text: string[] = [];
  const words: string[] = [];
  agent.stdout.setEncoding('utf8').on('data', (chunk: string) => text.push(chunk));
  agent.stderr.setEncoding('utf8').on('data', (chunk: string) => words.push(chunk));
  const [code] = (await once(agent, 'close')) as [number | null];
  assert.equal(code, 0, words.join(''));
  return { lines: text.join('').trim().split('\n'), stateDir };
}

test('an agent that is no root runs sandboxed jobs just the same', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  const script = `grep -E '^(CapEff|NoNewPrivs|Seccomp|Uid):' /proc/self/status; cat /etc/shadow 2>/dev/null && echo shadow
    echo err > /dev/stderr; (setsid sleep 86500 >/dev/null 2>&1 &); exit 5`;
  const { lines, stateDir } = await runAsUser(t, 'sandbox', script);
  const text = lines.join('\n');
  for (const fact of [/^CapEff:\t0{16}$/m, /^NoNewPrivs:\t1$/m, /^Seccomp:\t2$/m, /^Uid:(\t65534){4}$/m])
    assert.match(text, fact);
  assert.doesNotMatch(text, /^shadow/m);
  assert.match(text, /"ended":"exited","code":5/);
  assert.match(text, /"users":\{"kind":"own"/);
  assert.deepEqual(await reapOrphans(stateDir, systemClock), []);
});

for (const [level, runtime] of [
  ['container', 'runc'],
  ['gvisor', 'runsc'],
] as const)
  test(`an agent that is no root runs jobs at level ${level} just the same`, async (t) => {
    if (!need(t, runtime)) return;
    const script = `grep -E '^(CapEff|Uid):' /proc/self/status; cat /etc/shadow 2>/dev/null && echo shadow
      (setsid sleep 86502 >/dev/null 2>&1 &); exit 5`;
    const { lines, stateDir } = await runAsUser(t, level, script);
    const text = lines.join('\n');
    for (const fact of [/^CapEff:\t0{16}$/m, /^Uid:(\t0){4}$/m]) assert.match(text, fact);
    assert.doesNotMatch(text, /^shadow/m);
    assert.match(text, /"ended":"exited","code":5/);
    assert.deepEqual(await reapOrphans(stateDir, systemClock), []);
  });

test('level process as a plain user ends its daemons by their marker', async (t) => {
  const script = '(setsid sleep 86501 >/dev/null 2>&1 &); id -u; exit 6';
  const { lines, stateDir } = await runAsUser(t, 'process', script);
  assert.match(lines.join('\n'), /"ended":"exited","code":6/);
  const asked = execFileSync('/bin/sh', [
    '-c',
    'for f in /proc/[0-9]*/cmdline; do tr "\\0" " " <$f 2>/dev/null; echo; done',
  ]);
  assert.doesNotMatch(asked.toString(), /^sleep 86501 /m);
  assert.deepEqual(await reapOrphans(stateDir, systemClock), []);
});
