import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { newId, systemRng } from '@ringfence/base';
import type { LinkContext } from '../link/link-context.ts';
import { SMALL_JOB } from '../sandbox/sandbox-spec.fixture.ts';
import { AttemptWork } from './attempt-work.ts';
import { openJobNetwork, setupNetwork, type NetworkWish } from './job-network.ts';
import { leasedAs } from './lease-statements.fixture.ts';
import { openOrganisation } from './organisation.fixture.ts';

const NOTHING: NetworkWish = { name: 'run', reach: [], port: undefined };

async function openWork(t: TestContext): Promise<{ context: LinkContext; work: AttemptWork; folder: string }> {
  const { context, machine } = await openOrganisation(t);
  const job = newId('job', systemRng);
  const leased = { ...leasedAs(job, {}), highestBefore: 0, end: () => 0 };
  const work = new AttemptWork(machine.state, { job, attempt: 1 }, leased);
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-job-network-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  work.folder = folder;
  return { context, work, folder };
}

test('a job that asks for nothing of a network runs as it would without any: no init, no proxy, no folder', async (t) => {
  const { context, work, folder } = await openWork(t);
  assert.deepEqual(setupNetwork(context).reach, [], 'nor has a setup, unless the site names mirrors');
  const { spec } = await openJobNetwork(context, work, SMALL_JOB, NOTHING);
  assert.equal(spec, SMALL_JOB);
  assert.ok(!existsSync(join(folder, 'egress-run')));
});

test('a sandbox gets the folder of its own proxy, and of its service, that nobody but its user writes', async (t) => {
  const { context, work, folder } = await openWork(t);
  const wish = { ...NOTHING, reach: ['a.example:443'], port: 8000 };
  const { spec, close } = await openJobNetwork(context, work, SMALL_JOB, wish);
  t.after(close);
  assert.deepEqual(spec.env, SMALL_JOB.env, 'the init sets the variables');
  assert.ok(spec.network !== 'none');
  assert.deepEqual(spec.network.egress, { folder: join(folder, 'egress-run') });
  assert.equal(spec.network.inbound?.port, 8000);
  assert.equal(statSync(spec.network.inbound?.folder ?? '').mode & 0o777, 0o700);
  close();
  assert.ok(!existsSync(join(folder, 'egress-run', 'egress.sock')));
});

test('at level process the variables name a proxy on the machine’s loopback, which ends with the job', async (t) => {
  const { context, work } = await openWork(t);
  const process = { ...SMALL_JOB, level: 'process' as const, env: { https_proxy: 'http://mine' } };
  const { spec, close } = await openJobNetwork(context, work, process, { ...NOTHING, reach: ['a.example:80'] });
  t.after(close);
  assert.equal(spec.network, 'none');
  assert.equal(spec.env['https_proxy'], 'http://mine');
  assert.equal(spec.env['NO_PROXY'], '127.0.0.1,localhost');
  const { port, hostname } = new URL(spec.env['HTTP_PROXY'] ?? '');
  assert.equal(hostname, '127.0.0.1');
  const asked = request({ host: hostname, port, path: 'http://b.example/', agent: false }).end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  answer.resume();
  assert.equal(answer.statusCode, 403);
  assert.deepEqual(work.egress?.use?.refused, [{ host: 'name', reason: 'not-listed', count: 1 }]);
  await once(answer, 'end');
  close();
  await assert.rejects(
    once(request({ host: hostname, port, path: 'http://b.example/', agent: false }).end(), 'response'),
  );
});
