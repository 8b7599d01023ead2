import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '@ringfence/base/platform';
import { until } from '@ringfence/base/until';
import { missing } from '../../../../scripts/needs.ts';
import { isUidBusy } from '../sandbox/process-table.ts';
import { reapOrphans } from '../sandbox/reap-orphans.ts';
import { readRecords } from '../sandbox/record.ts';
import { openTestHost } from '../sandbox/sandbox-host.fixture.ts';

const LEVELS = [
  { level: 'container', needs: missing('root', 'runc') },
  { level: 'gvisor', needs: missing('root', 'runsc') },
] as const;

for (const { level, needs } of LEVELS)
  test(`a job at level ${level} dies with its agent, and boot clears what is left`, { skip: needs }, async (t) => {
    const host = await openTestHost(t);
    const program = join(import.meta.dirname, '..', 'sandbox', 'agent-process.fixture.ts');
    const script = '(setsid sh -c "trap : TERM HUP; while :; do sleep 1; done" &); echo up; while :; do sleep 1; done';
    const agent = spawn(process.execPath, [program, host.stateDir, level, 'cgroup', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    agent.stdout.on('data', (part: Buffer) => void (said += part.toString()));
    await until(() => /^up$/m.test(said), 'the job runs');
    const [record] = readRecords(host.stateDir);
    const uid = record?.uid ?? assert.fail('the job has a user of its own');
    assert.ok(isUidBusy(uid));
    agent.kill('SIGKILL');
    await once(agent, 'exit');
    await until(() => !isUidBusy(uid), 'the job died with its agent');
    assert.equal((await reapOrphans(host.stateDir, systemClock)).length, 1);
    assert.deepEqual(readdirSync(join(host.stateDir, 'sandboxes')), []);
    for (const folder of record?.cgroup?.folders ?? []) assert.ok(!existsSync(folder), folder);
  });
