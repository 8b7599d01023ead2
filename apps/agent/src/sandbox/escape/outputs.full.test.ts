// A job that wants the agent to read, or to give away, what is not its own: by what it leaves in its output.
import assert from 'node:assert/strict';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { need } from '../../../../../scripts/needs.ts';
import { collectOutput } from '../../outputs/collect-output.ts';
import { identityOf } from '../sandbox-host.fixture.ts';
import { atEveryLevel, openGround, runScript, SECRET, UNPROTECTED } from './levels.fixture.ts';

/** What each trick leaves in /out; `collected` where it is an ordinary file after all. */
const TRICKS: Readonly<Record<string, { readonly script: (secret: string) => string; readonly collected?: true }>> = {
  'a link to a file of the machine': { script: (secret) => `ln -s ${secret} /out/model` },
  'a link to a folder of the machine': { script: () => 'ln -s / /out/model' },
  'a link through /proc': { script: (secret) => `ln -s /proc/1/root${secret} /out/model` },
  'a link in a deep folder': { script: () => 'mkdir -p /out/a/b; ln -s ../../../../../../etc /out/a/b/model' },
  'a pipe': { script: () => 'mkfifo /out/model' },
  'a socket': { script: () => `/usr/bin/python3 -c "import socket; socket.socket(socket.AF_UNIX).bind('/out/model')"` },
  'a name that breaks lines': { script: () => `touch "$(printf '/out/mo\\ndel')"` },
  'a hard link to data': { script: () => 'ln /data/rows.csv /out/model || echo mine > /out/model', collected: true },
  'a hard link by descriptor': {
    script: (secret) => `(exec 3<${secret}; ln -L /proc/self/fd/3 /out/model) || echo mine > /out/model`,
    collected: true,
  },
  'a file with set-user-id': { script: () => 'cp /bin/true /out/model; chmod 6755 /out/model', collected: true },
};

atEveryLevel('tricks in outputs', async (t, at) => {
  for (const [name, { script, collected }] of Object.entries(TRICKS)) {
    await t.test(name, async (t) => {
      const ground = await openGround(t, at);
      const { exit, stderr } = await runScript(ground, script(ground.secret));
      assert.equal(exit.code, 0, stderr);
      // A kernel of its own keeps pipes to itself.
      if (!at.sharesKernel && readdirSync(ground.out).length === 0) return;
      assert.ok(readdirSync(ground.out).length > 0, 'the trick left something');
      if (collected !== true) return assert.throws(() => collectOutput(ground.out), { code: 'bad-output' });
      const [entry] = collectOutput(ground.out);
      const stat = lstatSync(join(ground.out, entry?.path ?? 'none'));
      assert.equal(stat.uid, identityOf(ground.host).uid, 'a file of the job itself');
      assert.equal(stat.nlink, 1);
      assert.ok(!readFileSync(join(ground.out, 'model')).includes(SECRET));
      assert.deepEqual(Object.keys(entry ?? {}).toSorted(), ['executable', 'kind', 'path'], 'no mode but executable');
    });
  }
});

test('control: at level process the links lead to the file of the machine', async (t) => {
  if (!need(t, 'root')) return;
  const ground = await openGround(t, UNPROTECTED);
  await runScript(ground, `ln -s ${ground.secret} /out/model`);
  assert.equal(readFileSync(join(ground.out, 'model'), 'utf8'), SECRET);
  assert.throws(() => collectOutput(ground.out), { code: 'bad-output' }, 'and are refused there too');
});
