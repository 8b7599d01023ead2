// Our trainer trains at every level that this machine has, through the job's socket.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock as clock } from '@ringfence/base/platform';
import { SampleContract } from '@ringfence/keyring/samples';
import { checkContract } from '@ringfence/keyring';
import { missing } from '../../../../../scripts/needs.ts';
import { openContainerHost, SANDBOX_LEVELS } from '../../oci/container-host.fixture.ts';
import { finish, identityOf, nodeRuntime, planHere, startPlan } from '../../sandbox/sandbox-host.fixture.ts';
import { decimal, PLAIN } from '../federation.fixture.ts';
import type { GrantedFederation } from '../granted-federation.ts';
import { jobConfig } from '../job-config.ts';
import { JobSocket } from '../job-socket/job-socket.ts';
import { socketMount } from '../job-socket/socket-mount.ts';
import { termsOf } from '../round/federation-terms.ts';
import { trainedHere, trainerMounts } from './trainer-command.ts';

const LEVELS = [{ level: 'process', needs: missing('root') }, ...SANDBOX_LEVELS] as const;
const CSV = `radius,texture,diagnosis\n${Array.from({ length: 40 }, (_, at) => (at % 2 === 0 ? '1,2,benign' : '-1,-2,malignant')).join('\n')}\n`;

function granted(): GrantedFederation {
  const evaluation = { every: 1, heldOut: decimal('0.25') };
  const sample = new SampleContract('trainer', { terms: { ...PLAIN, evaluation } });
  const { keyring, now } = sample.host.organisation;
  const held = checkContract(sample.file(), { keyring, now });
  assert.ok(held.allow);
  return { terms: termsOf(held), role: 'client', member: 0 };
}

for (const { level, needs } of LEVELS)
  test(`the trainer learns at level ${level}`, { skip: needs }, async (t) => {
    const host = await openContainerHost(t);
    const federation = granted();
    const { terms } = federation;
    const data = join(host.folder, 'data');
    mkdirSync(data);
    chmodSync(data, 0o755);
    writeFileSync(join(data, 'rows.csv'), CSV, { mode: 0o644 });
    mkdirSync(join(host.folder, 'attempt'), { mode: 0o755 });
    const folder = join(host.folder, 'attempt', 'federation');
    const socket = new JobSocket({ rounds: 2, parameters: terms.parameters, clock });
    await socket.listenIn(folder, identityOf(host));
    t.after(() => socket.close());
    const place = socketMount(folder, level) ?? assert.fail();
    const { run } = trainedHere({ mounts: [{ path: '/data' }] } as Parameters<typeof trainedHere>[0], federation);
    const job = await startPlan(
      host,
      planHere(host, {
        level,
        command: { script: run ?? assert.fail() },
        env: place.env,
        cwd: '/tmp',
        runtimes: [nodeRuntime(host)],
        limits: {},
        mounts: [
          { hostPath: data, sandboxPath: '/data', mode: 'ro' },
          place.mount,
          ...trainerMounts(host.folder, federation),
        ],
      }),
    );
    const ended = finish(job);
    const never = new AbortController().signal;
    let model = new Float32Array(terms.parameters);
    const accuracies: (number | undefined)[] = [];
    for (const round of [1, 2]) {
      const shown = { round, task: 'train', model, config: jobConfig(terms) } as const;
      const update = await Promise.race([socket.show(shown, never), ended]);
      assert.ok(update !== undefined && 'values' in update, JSON.stringify(update));
      assert.equal(update.examples, 30, 'of 40, ten are held out');
      accuracies.push(update.metrics['accuracy']);
      model = model.map((weight, at) => weight + (update.values[at] ?? 0));
    }
    const tested = { round: 3, task: 'evaluate', model, config: jobConfig(terms) } as const;
    const evaluation = await Promise.race([socket.show(tested, never), ended]);
    assert.ok(evaluation !== undefined && 'values' in evaluation, JSON.stringify(evaluation));
    assert.deepEqual([evaluation.examples, evaluation.values.length, evaluation.metrics['accuracy']], [10, 0, 1]);
    socket.finish();
    const { exit, stderr } = await ended;
    assert.equal(exit.code, 0, stderr);
    // Of the model that each round began with: zeros, then one that has seen the rows.
    assert.equal(accuracies.length, 2);
    assert.ok((accuracies[0] ?? 1) < 0.8, 'about half, of thirty');
    assert.equal(accuracies[1], 1);
  });
