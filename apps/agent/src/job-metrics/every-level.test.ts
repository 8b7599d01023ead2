// A job reports at every level that this machine has.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { missing } from '../../../../scripts/needs.ts';
import { openContainerHost, SANDBOX_LEVELS } from '../oci/container-host.fixture.ts';
import { identityOf, jobFolder, runJob } from '../sandbox/sandbox-host.fixture.ts';
import { jobReporting } from './job-reporting.ts';
import { MetricPipe } from './metric-pipe.ts';

const LEVELS = [{ level: 'process', needs: missing('root') }, ...SANDBOX_LEVELS] as const;

for (const { level, needs } of LEVELS)
  test(`a job at level ${level} writes its pipe, and nothing beside it`, { skip: needs }, async (t) => {
    const host = await openContainerHost(t);
    const work = jobFolder(host, 'work');
    mkdirSync(join(host.folder, 'attempt'), { mode: 0o755 });
    const pipe = await MetricPipe.make(join(host.folder, 'attempt', 'metrics'), identityOf(host));
    const { mounts, env } = jobReporting({ pipe: pipe.folder, sdk: null, level }, {});
    const beside = level === 'process' ? pipe.folder : '/opt/ringfence/metrics';
    const done = await runJob(host, {
      level,
      command: {
        script: `echo "loss 0.5" >> "$RINGFENCE_METRICS"; (echo x > ${beside}/other) 2>/dev/null || echo refused`,
      },
      env,
      cwd: '/work',
      mounts: [{ hostPath: work, sandboxPath: '/work', mode: 'rw' }, ...mounts],
    });
    assert.equal(done.exit.code, 0, done.stderr);
    assert.equal(done.stdout, 'refused\n');
    assert.equal(Buffer.concat([...pipe.rest()].map((piece) => Buffer.from(piece))).toString(), 'loss 0.5\n');
  });
