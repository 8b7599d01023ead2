import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { jobReporting } from './job-reporting.ts';
import { copySdk, ownSdkFolder } from './sdk-copy.ts';

const wish = { pipe: '/jobs/1/metrics', sdk: '/runtimes/sdk-1', level: 'sandbox' } as const;
const main = resolve(import.meta.dirname, '../main.ts');

describe('what a job reports through', () => {
  it('is mounted read-only: the pipe can be written all the same, and there is no place to fill', () => {
    const { mounts } = jobReporting(wish, {});
    assert.deepEqual(
      mounts.map(({ mode }) => mode),
      ['ro', 'ro'],
    );
  });

  it('may be written as a whole in gVisor, which opens no pipe otherwise; what is written there counts as the job’s disk', () => {
    const { mounts } = jobReporting({ ...wish, level: 'gvisor' }, {});
    assert.deepEqual(
      mounts.map(({ mode }) => mode),
      ['rw', 'ro'],
    );
  });

  it('stands behind the job’s own folders of modules', () => {
    const { env } = jobReporting(wish, { PYTHONPATH: '/work/lib', OTHER: 'kept' });
    assert.equal(env['PYTHONPATH'], '/work/lib:/opt/ringfence/sdk/python');
    assert.equal(env['OTHER'], 'kept');
    assert.equal(jobReporting(wish, {}).env['PYTHONPATH'], '/opt/ringfence/sdk/python');
  });

  it('has its place on the host where there is no file system of its own', () => {
    const { env } = jobReporting({ ...wish, level: 'process' }, {});
    assert.equal(env['RINGFENCE_METRICS'], '/jobs/1/metrics/pipe');
    assert.equal(env['PYTHONPATH'], '/runtimes/sdk-1/python');
  });

  it('is the pipe alone where the agent came without the SDK', () => {
    const { mounts, env } = jobReporting({ ...wish, sdk: null }, {});
    assert.equal(mounts.length, 1);
    assert.equal(env['PYTHONPATH'], undefined);
  });

  it('comes from this checkout, copied for every user to read', (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'ringfence-sdk-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const source = ownSdkFolder(main);
    assert.ok(source !== null);
    const copy = copySdk(source, folder);
    assert.equal(copySdk(source, folder), copy);
    assert.equal(statSync(join(copy, 'python')).mode & 0o777, 0o755);
    const file = 'python/ringfence.py';
    assert.deepEqual(readFileSync(join(copy, file)), readFileSync(join(source, file)));
    assert.equal(ownSdkFolder(join(folder, 'agent.mjs')), null);
  });
});
