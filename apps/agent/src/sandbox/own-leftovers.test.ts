import assert from 'node:assert/strict';
import { chmodSync, chownSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { need } from '../../../../scripts/needs.ts';
import { removeLeftovers } from './own-leftovers.ts';
import { identityOf, jobFolder, openTestHost, runJob } from './sandbox-host.fixture.ts';

test('what a process job leaves in shared folders goes with it, and what others have there stays', async (t) => {
  if (!need(t, 'root')) return;
  const host = await openTestHost(t);
  const name = `ringfence-leftover-${process.pid}`;
  const work = jobFolder(host, 'work');
  const script = `for folder in /tmp /var/tmp /dev/shm; do
    mkdir $folder/${name}; echo x > $folder/${name}/x; chmod 000 $folder/${name}; ln -s /etc/hostname $folder/${name}.link; done`;
  const { exit, stderr } = await runJob(host, {
    level: 'process',
    command: { script },
    cwd: '/work',
    mounts: [{ hostPath: work, sandboxPath: '/work', mode: 'rw' }],
  });
  assert.equal(exit.code, 0, stderr);
  for (const folder of ['/tmp', '/var/tmp', '/dev/shm'])
    for (const path of [join(folder, name), join(folder, `${name}.link`)]) assert.ok(!existsSync(path), path);
});

test('a link of the job is removed, not what it leads to; somebody else’s folder is not looked into', async (t) => {
  if (!need(t, 'root')) return;
  const host = await openTestHost(t);
  const { uid, gid } = identityOf(host);
  const shared = join(host.folder, 'shared');
  const [kept, foreign, mine] = [join(host.folder, 'kept'), join(shared, 'foreign'), join(shared, 'mine')];
  for (const folder of [shared, kept, foreign, mine]) mkdirSync(folder);
  chmodSync(foreign, 0o777);
  for (const folder of [kept, foreign]) writeFileSync(join(folder, 'file'), 'x');
  symlinkSync(kept, join(mine, 'link'));
  for (const path of [mine, join(foreign, 'file')]) chownSync(path, uid, gid);
  removeLeftovers(uid, [shared, join(host.folder, 'absent')]);
  assert.ok(!existsSync(mine));
  assert.ok(existsSync(join(kept, 'file')));
  assert.ok(existsSync(join(foreign, 'file')));
});
