import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { test } from 'node:test';
import { until } from '@ringfence/base/until';
import { need } from '../../../../scripts/needs.ts';
import { AttemptFolder } from './attempt-folder.ts';
import { WORKLOAD } from './members.fixture.ts';
import { openOrganisation } from './organisation.fixture.ts';

test('metrics of a running attempt count for the quota as they are written, like its log', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  const organisation = await openOrganisation(t);
  const { machine, runner } = organisation;
  const before = machine.logQuota.bytes;
  const { job } = await organisation.lease({
    workload: { ...WORKLOAD, isolation: 'sandbox', run: 'echo up; exec sleep 1000' },
  });
  const { logPath, metricsPath } = new AttemptFolder(machine.state, { job, attempt: 1 });
  const size = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  await until(() => size(logPath) > 0 && size(metricsPath) > 0, 'it writes both');
  // Nothing is written between these two looks.
  assert.equal(machine.logQuota.bytes - before, size(logPath) + size(metricsPath));
  runner.stop({ job, attempt: 1 }, { graceMs: 0, reason: 'requested' });
  await organisation.settled();
});
