import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId, seededRng } from '@ringfence/base';
import { command as request } from '../commands/release-request.ts';
import { artifactStep, logStep } from './how-to-ask.ts';

const job = newId('job', seededRng('how to ask'));

test('what was made of confidential data is asked for before it is fetched, and its log too', () => {
  const made = { name: 'report', version: 2 };
  for (const sensitivity of ['public', 'internal'] as const)
    assert.equal(artifactStep(made, sensitivity), 'ringfence artifact get report --out DIR');
  for (const sensitivity of ['confidential', 'restricted'] as const)
    assert.match(
      artifactStep(made, sensitivity),
      /release request report --version 2 --purpose .* once it is released ringfence artifact get report --out DIR$/,
    );
  assert.match(logStep({ job, attempt: 3 }), new RegExp(`release request --logs ${job} --attempt 3 --purpose PURPOSE`));
  for (const [, flag = ''] of `${artifactStep(made, 'restricted')} ${logStep({ job, attempt: 3 })}`.matchAll(
    / --([a-z]+)/g,
  ))
    assert.ok(flag in request.options || flag === 'out', flag);
});
