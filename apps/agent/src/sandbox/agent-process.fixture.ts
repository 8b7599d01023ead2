// An agent process for tests that kill it: starts one job, says so, and waits.
// Arguments: state folder, level, `cgroup` or `bare`, script of the job.
import { systemRng } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { claimJobUsers } from './job-users.ts';
import { planSandbox } from './plan.ts';
import { probeIsolation } from './probe-isolation.ts';
import { SMALL_JOB } from './sandbox-spec.fixture.ts';
import { startSandbox } from './start-sandbox.ts';

const [stateDir = '', level, limiting, script = ''] = process.argv.slice(2);
const host = { stateDir, clock: systemClock, rng: systemRng };
const probed = await probeIsolation({ ...host, users: claimJobUsers() });
const bare = {
  ...probed.limits,
  driver: 'rlimits',
  base: null,
  memory: 'per-process',
  cpus: false,
  pids: false,
} as const;
const capabilities = limiting === 'bare' ? { ...probed, limits: bare } : probed;
const spec = {
  ...SMALL_JOB,
  level: (['process', 'container', 'gvisor'] as const).find((name) => name === level) ?? 'sandbox',
  command: { script },
} as const;
const result = planSandbox(spec, capabilities);
if (!result.ok) throw new Error(JSON.stringify(result.refusals));
const running = await startSandbox(result.plan, {
  ...host,
  onStdout: (chunk) => void process.stdout.write(chunk),
  onStderr: (chunk) => void process.stderr.write(chunk),
});
const { users, limits, sandbox } = probed;
process.stdout.write(`${JSON.stringify({ pid: running.pid, users, driver: limits.driver, sandbox })}\n`);
const exit = await running.exited;
process.stdout.write(`${JSON.stringify(exit)}\n`);
