import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { SandboxCapabilities } from './capabilities.ts';
import { planSandbox } from './plan.ts';
import type { SandboxPlan } from './plan.ts';
import { ABLE_MACHINE, MACHINE_WITHOUT_CGROUPS, SMALL_JOB, inputText } from './sandbox-spec.fixture.ts';
import type { SandboxSpec } from './spec.ts';

const SECRET = 'hunter2-hunter2';

function planned(over: Partial<SandboxSpec>, machine: SandboxCapabilities = ABLE_MACHINE): SandboxPlan {
  const result = planSandbox({ ...SMALL_JOB, ...over }, machine);
  assert.ok(result.ok, JSON.stringify(result));
  return result.plan;
}

function refusedAt(over: Partial<SandboxSpec>, machine: SandboxCapabilities = ABLE_MACHINE): readonly string[] {
  const result = planSandbox({ ...SMALL_JOB, ...over }, machine);
  return result.ok ? [] : [...new Set(result.refusals.map((refusal) => refusal.at))];
}

const optionsOf = (plan: SandboxPlan) => inputText(plan.launch, 3).split('\0').slice(0, -1);

/** Whether `words` stand next to each other in `options`. */
function has(options: readonly string[], ...words: string[]): boolean {
  return options.some((_, at) => words.every((word, index) => options[at + index] === word));
}

describe('plan of level sandbox', () => {
  test('confines by every namespace, no capability, a filter, and death with the agent', () => {
    const options = optionsOf(planned({}));
    for (const word of ['--unshare-all', '--unshare-user', '--disable-userns', '--die-with-parent', '--new-session'])
      assert.ok(options.includes(word), word);
    assert.ok(has(options, '--cap-drop', 'ALL'));
    assert.ok(has(options, '--uid', '65534', '--gid', '65534'));
    assert.ok(has(options, '--seccomp', '5'));
    assert.ok(!options.includes('--share-net'));
    const first = options.findIndex((word) => word.includes('bind'));
    assert.ok(options.indexOf('--seccomp') < first && options.indexOf('--cap-drop') < first, 'confinement comes first');
  });

  test('lists the root file system and shows nothing of /home, /root, /var, /run or /opt', () => {
    const options = optionsOf(planned({}));
    const bound = options.filter((_, at) => /^--(?:ro-|dev-)?bind(?:-try)?$/.test(options[at - 1] ?? ''));
    for (const path of bound)
      assert.match(path, /^\/(?:usr|lib|dev\/null|etc\/(?!passwd|shadow|group|hosts|ssh)[a-z.\-/]+)$/);
    assert.ok(has(options, '--symlink', 'usr/bin', '/bin'));
    assert.ok(has(options, '--ro-bind', '/lib', '/lib'));
    assert.ok(has(options, '--ro-bind', '/dev/null', '/proc/keys'));
    assert.ok(has(options, '--size', '1048576', '--tmpfs', '/tmp'));
    assert.ok(has(options, '--remount-ro', '/'));
  });

  test('puts secrets of env and script into descriptors alone', () => {
    const plan = planned({ env: { TOKEN: SECRET }, command: { script: `echo ${SECRET}` } });
    const outside = JSON.stringify({ ...plan, launch: { ...plan.launch, inputs: [] } });
    assert.ok(!outside.includes(SECRET));
    assert.ok(!JSON.stringify(plan).includes(SECRET), 'not even when a plan is printed');
    assert.equal(Buffer.from(plan.launch.environment.expose()).length, 0);
    assert.ok(has(optionsOf(plan), '--clearenv', '--setenv'));
    assert.ok(has(optionsOf(plan), '--setenv', 'TOKEN', SECRET));
    assert.deepEqual(plan.launch.argv.slice(-3), ['/bin/sh', '-e', '/etc/ringfence/job.sh']);
    assert.equal(inputText(plan.launch, plan.launch.inputs.at(-2)?.fd ?? 0), `echo ${SECRET}`);
  });

  test('reads its options last, so that they open the gate', () => {
    for (const command of [['/bin/true'], { script: 'true' }]) {
      const { inputs, statusFd } = planned({ command }).launch;
      assert.equal(inputs.at(-1)?.fd, 3);
      const numbers = [...inputs.map((input) => input.fd), statusFd ?? 0].toSorted((a, b) => a - b);
      assert.deepEqual(
        numbers,
        Array.from({ length: numbers.length }, (_, index) => index + 3),
      );
    }
  });

  test('mounts read-only unless told, parents before what lies in them', () => {
    const options = optionsOf(
      planned({
        cwd: '/results/out',
        mounts: [
          { hostPath: '/srv/out', sandboxPath: '/results/out', mode: 'rw' },
          { hostPath: '/srv/work', sandboxPath: '/work', mode: 'ro' },
        ],
        runtimes: [{ hostPath: '/srv/node', sandboxPath: '/opt/node' }],
      }),
    );
    assert.ok(has(options, '--ro-bind', '/srv/work', '/work'));
    assert.ok(has(options, '--bind', '/srv/out', '/results/out'));
    assert.ok(options.indexOf('/srv/work') < options.indexOf('/srv/out'));
    assert.ok(has(options, '--ro-bind', '/srv/node', '/opt/node'));
    assert.ok(has(options, '--setenv', 'PATH', '/opt/node/bin:/usr/local/bin:/usr/bin:/bin'));
    assert.ok(has(options, '--chdir', '/results/out'));
  });

  test('lets a job set PATH and HOME itself', () => {
    const options = optionsOf(planned({ env: { PATH: '/x', HOME: '/y' } }));
    assert.ok(has(options, '--setenv', 'PATH', '/x'));
    assert.ok(has(options, '--setenv', 'HOME', '/y'));
    assert.equal(options.filter((word) => word === 'PATH').length, 1);
  });
});

describe('limits', () => {
  test('go to the cgroup where there is one', () => {
    const limits = { memoryBytes: 1e9, hardMemory: true, cpus: 0.5, pids: 10, openFiles: 64, diskBytes: 1e6 };
    const plan = planned({ limits });
    assert.deepEqual(
      { ...plan.cgroup, base: null },
      { base: null, memoryBytes: 1e9, cpus: 0.5, pids: 12 },
      "bubblewrap's own two processes count too",
    );
    assert.deepEqual(plan.unenforced, []);
    assert.deepEqual([plan.launch.program, ...plan.launch.argv].slice(0, 5), [
      '/usr/bin/prlimit',
      '--core=1:1',
      '--fsize=1000000:1000000',
      '--nofile=64:64',
      '--',
    ]);
  });

  test('become rlimits elsewhere, and what cannot be enforced is named', () => {
    const plan = planned({ limits: { memoryBytes: 1e9, cpus: 2, pids: 10, openFiles: 1e6 } }, MACHINE_WITHOUT_CGROUPS);
    assert.equal(plan.cgroup, null);
    assert.deepEqual(plan.unenforced, ['cpus']);
    assert.ok(plan.launch.argv.includes('--data=1000000000:1000000000'));
    assert.ok(plan.launch.argv.includes('--nproc=11:11'));
    assert.ok(plan.launch.argv.includes('--nofile=4096:4096'), "never above the agent's own limit");
  });

  test('count processes at level process only where the user is the job’s alone', () => {
    const own = { ...MACHINE_WITHOUT_CGROUPS, users: { kind: 'own', uid: 1000, gid: 1000 } } as const;
    const limits = { pids: 10 };
    assert.deepEqual(planned({ level: 'process', limits }, own).unenforced, ['pids']);
    assert.deepEqual(planned({ level: 'process', limits }, MACHINE_WITHOUT_CGROUPS).unenforced, []);
    assert.deepEqual(planned({ limits }, own).unenforced, []);
  });

  test('refuse a hard memory limit that cannot be had', () => {
    const limits = { memoryBytes: 1e9, hardMemory: true };
    assert.deepEqual(refusedAt({ limits }, MACHINE_WITHOUT_CGROUPS), ['limits.memoryBytes']);
    assert.deepEqual(refusedAt({ limits: { ...limits, hardMemory: false } }, MACHINE_WITHOUT_CGROUPS), []);
  });
});

describe('plan of level process', () => {
  test('waits at a gate and keeps secrets out of arguments', () => {
    const plan = planned({ level: 'process', env: { TOKEN: SECRET }, command: { script: `echo ${SECRET}` } });
    assert.ok(!JSON.stringify(plan).includes(SECRET));
    // The gate opens last.
    assert.deepEqual(
      plan.launch.inputs.map((input) => input.fd),
      [4, 3],
    );
    assert.equal(inputText(plan.launch, 3), 'go\n');
    assert.ok(inputText(plan.launch, 4).startsWith(`echo ${SECRET}\n`));
    assert.deepEqual(plan.launch.scratchVariables, ['HOME', 'TMPDIR']);
    assert.ok(plan.launch.argv.includes('--no-new-privs'));
    assert.equal(plan.dropped, true);
  });

  test('speaks of host paths', () => {
    const plan = planned({
      level: 'process',
      cwd: '/work/sub',
      command: ['/opt/node/bin/node', 'train.js', '--data=/data', '/data/x.csv', '/database'],
      mounts: [
        { hostPath: '/srv/w', sandboxPath: '/work', mode: 'rw' },
        { hostPath: '/srv/d', sandboxPath: '/data', mode: 'ro' },
      ],
      runtimes: [{ hostPath: '/srv/node', sandboxPath: '/opt/node' }],
    });
    assert.deepEqual(plan.launch.argv.slice(-5), [
      '/srv/node/bin/node',
      'train.js',
      '--data=/srv/d',
      '/srv/d/x.csv',
      '/database',
    ]);
    assert.equal(plan.launch.workingFolder, '/srv/w/sub');
    assert.match(Buffer.from(plan.launch.environment.expose()).toString(), /PATH=\/srv\/node\/bin:\/usr/);
  });

  test('refuses host paths that a shell would read as its own syntax', () => {
    const mounts = [{ hostPath: '/srv/a b;$(x)', sandboxPath: '/data', mode: 'ro' as const }];
    assert.deepEqual(refusedAt({ level: 'process', mounts }), ['mounts[0].hostPath']);
    assert.deepEqual(refusedAt({ mounts }), []);
  });
});

describe('refusals', () => {
  test('name everything that is wrong at once, and no value', () => {
    const result = planSandbox(
      {
        ...SMALL_JOB,
        slot: 64,
        command: [],
        cwd: '/elsewhere',
        env: { 'A-B': SECRET },
        mounts: [{ hostPath: '/etc/shadow', sandboxPath: '/usr/x', mode: 'ro' }],
        limits: { cpus: 0, pids: -1, memoryBytes: 1.5 },
        tmpfsBytes: 0,
        hostname: 'a.b',
        maxDurationMs: 0,
      },
      ABLE_MACHINE,
    );
    assert.ok(!result.ok);
    assert.deepEqual([...new Set(result.refusals.map((refusal) => refusal.at))].toSorted(), [
      'command',
      'cwd',
      'env',
      'hostname',
      'limits.cpus',
      'limits.memoryBytes',
      'limits.pids',
      'maxDurationMs',
      'mounts[0].hostPath',
      'mounts[0].sandboxPath',
      'slot',
      'tmpfsBytes',
    ]);
    assert.ok(!JSON.stringify(result).includes(SECRET) && !JSON.stringify(result).includes('shadow'));
  });

  test('cover every path that is not plain or hides the system', () => {
    const at = (hostPath: string, sandboxPath: string) =>
      refusedAt({ mounts: [{ hostPath, sandboxPath, mode: 'ro' }] }).length > 0;
    for (const path of [
      '',
      '/',
      'a',
      '/a/',
      '/a//b',
      '/a/./b',
      '/a/../b',
      '/a\nb',
      '/a\0b',
      '/usr',
      '/etc/x',
      '/proc/1',
      '/dev',
      '/lib64',
      '/tmp',
    ])
      assert.ok(at('/srv/a', path), `sandboxPath ${JSON.stringify(path)}`);
    for (const path of ['', '/', 'a', '/a/', '/a/../b', '/a\0b', '/etc', '/proc/1/root', '/sys', '/dev/mem', '/boot'])
      assert.ok(at(path, '/data'), `hostPath ${JSON.stringify(path)}`);
    assert.ok(!at('/srv/a', '/data') && !at('/etcetera', '/devices') && !at('/srv/a', '/tmp/x'));
  });

  test('cover two mounts in one place, reserved variables and too much text', () => {
    const mount = { hostPath: '/srv/a', sandboxPath: '/data', mode: 'ro' } as const;
    assert.deepEqual(refusedAt({ mounts: [mount, mount] }), ['mounts']);
    assert.deepEqual(refusedAt({ mounts: [mount], runtimes: [mount] }), ['mounts']);
    assert.deepEqual(refusedAt({ env: { RINGFENCE_SANDBOX: 'x' } }), ['env']);
    assert.deepEqual(refusedAt({ env: { A: 'x\0y' } }), ['env']);
    assert.deepEqual(refusedAt({ env: { A: 'x'.repeat(130_000) } }), ['env']);
    assert.deepEqual(refusedAt({ command: { script: 'x'.repeat(130_000) } }), ['command']);
  });

  test('cover a missing level, with its reason', () => {
    const sandbox = { available: false, code: 'bubblewrap-absent', reason: 'none here', remedy: 'install' } as const;
    const result = planSandbox(SMALL_JOB, { ...ABLE_MACHINE, sandbox });
    assert.deepEqual(result, { ok: false, refusals: [{ code: 'level-missing', at: 'level', reason: 'none here' }] });
    assert.deepEqual(refusedAt({}, { ...ABLE_MACHINE, seccomp: null }), ['level']);
  });
});

test('no environment or command, however odd, adds an option to bubblewrap', () => {
  const plain = optionsOf(planned({})).length;
  const value = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0'));
  fc.assert(
    fc.property(value, fc.array(value, { minLength: 1 }), (text, words) => {
      const plan = planned({ env: { X: text }, command: ['/bin/true', ...words] });
      const options = optionsOf(plan);
      assert.equal(options.length, plain + 3);
      assert.equal(options[options.indexOf('X') + 1], Buffer.from(text).toString());
      assert.deepEqual(plan.launch.argv.slice(-words.length - 2), ['--', '/bin/true', ...words]);
    }),
    { numRuns: 2000 },
  );
});
