// Secrets that are files: in memory of the sandbox, for the job alone, at every level that has one.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Secret, utf8 } from '@ringfence/base';
import { openContainerHost, SANDBOX_LEVELS } from '../oci/container-host.fixture.ts';
import { siteRoot } from '../oci/root-entry.ts';
import { imageRoot } from '../oci/image-root.ts';
import { runJob } from '../sandbox/sandbox-host.fixture.ts';
import { planSandbox, SECRETS_FOLDER } from '../sandbox/index.ts';
import { ABLE_MACHINE, SMALL_JOB } from '../sandbox/sandbox-spec.fixture.ts';
import { deliverSecrets } from './job-secrets.ts';

const VALUE = `it's $HOME\n"/run/secrets" \\ ü`;

const delivered = (): string =>
  deliverSecrets(
    new Map([
      ['KEY', new Secret(utf8(VALUE))],
      ['TOKEN', new Secret(utf8('variable'))],
    ]),
    { KEY: `${SECRETS_FOLDER}/key.pem` },
  );
const LOOK = `cat /run/secrets/key.pem; echo; find /run/secrets -printf '%m\\n'
while read -r _ place type _; do [ "$place" = /run/secrets ] && echo "$type"; done < /proc/mounts
echo "$TOKEN \${KEY-no variable} $(umask)"; (echo x > /run/planted) 2>/dev/null || echo refused`;
const SEEN = `${VALUE}\n700\n400\ntmpfs\nvariable no variable 0022\nrefused\n`;

for (const { level, needs } of SANDBOX_LEVELS)
  test(
    `a secret is a file in memory at level ${level}, letter by letter, and no variable`,
    { skip: needs },
    async (t) => {
      const host = await openContainerHost(t);
      const job = { level, command: { script: delivered() + LOOK }, secretsFolder: true };
      const done = await runJob(host, job);
      assert.equal(done.stdout, SEEN, done.stderr);
      assert.ok(!existsSync(`${SECRETS_FOLDER}/key.pem`));
      if (level === 'sandbox') return;
      // An image may hold such a folder, with other files in it.
      const image = join(host.folder, 'image');
      mkdirSync(join(image, 'run/secrets'), { recursive: true });
      writeFileSync(join(image, 'run/secrets/key.pem'), 'the image’s own');
      const { layout } = host.capabilities;
      const root = [...siteRoot(layout, []), ...imageRoot(image, [SECRETS_FOLDER])];
      assert.equal((await runJob(host, { ...job, root })).stdout, SEEN);
      assert.equal(readFileSync(join(image, 'run/secrets/key.pem'), 'utf8'), 'the image’s own');
    },
  );

test('level process has no folder in memory, so it refuses such a job', () => {
  const plan = planSandbox({ ...SMALL_JOB, level: 'process', secretsFolder: true }, ABLE_MACHINE);
  assert.ok(!plan.ok && plan.refusals.some(({ at }) => at === 'secretsFolder'));
});
