// A service through the whole house: launched, called by members and with tokens, replaced under load, scaled to nothing and back, and kept up
// over the death of the custodian at each of its steps.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { until as untilHolds } from '@ringfence/base/until';
import { startHouse, type House } from '../../scripts/house/index.ts';
import { call, load, type Caller } from './serving/callers.ts';

const root = mkdtempSync(join(tmpdir(), 'ringfence-serving-'));
const workdir = join(root, 'echo');
let house: House;

interface Listed {
  readonly name: string;
  readonly ready: boolean;
  readonly revision: number;
  readonly coming: number | null;
  readonly replicas: readonly { readonly job: string; readonly revision: number; readonly state: string }[];
  readonly gateways: readonly { readonly listens: string | null }[];
}

before(async () => {
  const gateway = { RINGFENCE_GATEWAY: '1', RINGFENCE_GATEWAY_LISTEN: '127.0.0.1:0' };
  house = await startHouse({ root: join(root, 'house'), agents: 2, env: { 'agent-1': gateway } });
  cpSync(join(import.meta.dirname, 'serving'), workdir, { recursive: true });
});

after(async () => {
  await house?.stop();
  rmSync(root, { recursive: true, force: true });
});

async function cli(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await house.cli(args);
  assert.equal(code, 0, `ringfence ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** A job file whose replicas answer with `word`. */
function write(word: string, { name = 'echo', service = '{port: 8000, probe: /health}' } = {}): string {
  writeFileSync(join(workdir, 'word'), word);
  const file = join(workdir, `${name}.yaml`);
  writeFileSync(
    file,
    `name: ${name}\ntype: serve\nrun: python3 serve.py\nresources: {cpus: 0.2, memory: 96MB}\nservice: ${service}\n`,
  );
  return file;
}

async function listed(name = 'echo'): Promise<Listed | undefined> {
  const { endpoints } = JSON.parse(await cli('endpoint', 'ls', '--json')) as { endpoints: Listed[] };
  return endpoints.find((row) => row.name === name);
}

/** A call that fails meanwhile is no answer yet. */
const until = (look: () => Promise<boolean>, what: string): Promise<void> =>
  untilHolds(() => look().catch(() => false), what);

async function wordBy(name = 'echo'): Promise<string> {
  return (JSON.parse(await cli('endpoint', 'call', name, '/who')) as { word: string }).word;
}

/** How a member's call of `/who` ended: what the gateway, or the CLI in its place, said of itself, if one did, and the status. */
async function called(name: string): Promise<{ refusal: string | undefined; status: number | undefined }> {
  const { stdout, stderr } = await house.cli(['endpoint', 'call', name, '/who', '--json']);
  const answer = JSON.parse(stdout === '' ? '{}' : stdout) as { status?: number; gateway?: string | null };
  return { refusal: answer.status === undefined ? stderr : (answer.gateway ?? undefined), status: answer.status };
}

async function callerOf(name: string, token?: string): Promise<Caller> {
  await until(
    async () => (await listed(name))?.gateways.some(({ listens }) => listens !== null) === true,
    'a listener',
  );
  const listens = (await listed(name))?.gateways.find((gateway) => gateway.listens !== null)?.listens;
  const issuer = await cli('endpoint', 'ca');
  return { address: `https://${listens}/${name}/`, issuer, ...(token === undefined ? {} : { token }) };
}

test('a launched service answers members over the payload link, and nobody before a member allowed its gateway', async () => {
  await cli('launch', '-y', write('one'));
  const early = await house.cli(['endpoint', 'call', 'echo', '/who']);
  assert.equal(early.code, 1);
  assert.match(early.stderr, /endpoint gateway add/);
  const plain = await house.cli(['endpoint', 'gateway', 'add', 'agent-2']);
  assert.equal(plain.code, 1);
  assert.match(plain.stderr, /agent-2 was not started with --gateway/);
  await cli('endpoint', 'gateway', 'add', 'agent-1');
  await until(async () => (await wordBy()) === 'one', 'the gateway takes the list up');
  const answer = JSON.parse(await cli('endpoint', 'call', 'echo', '/p?q=1', '-d', 'body', '--json')) as {
    status: number;
    body: string;
  };
  assert.deepEqual(JSON.parse(answer.body), { word: 'one', path: '/p?q=1', body: 'body' });
  const own = await house.cli(['endpoint', 'call', 'echo', '/missing', '--json']);
  assert.deepEqual([own.code, (JSON.parse(own.stdout) as { gateway: string | null }).gateway], [1, null]);
  assert.match(own.stderr, /the endpoint itself answered with status 404/);
  assert.match(await cli('endpoint', 'metrics', 'echo'), /^answers .*2xx \d+.*4xx 1$[^]*^latency .*p99/m);
  assert.match(await cli('ps'), /echo +endpoint +1 ready\n +revision 1 +serve +running, ready/);
});

test('callers on the network need a token that was not revoked; answers stream; the token goes no further', async () => {
  const minted = JSON.parse(await cli('endpoint', 'token', 'mint', 'echo', 'app', '--expires', '1h', '--json')) as {
    token: string;
  };
  const caller = await callerOf('echo', minted.token);
  await until(async () => (await call(caller, 'who')).status === 200, 'the gateway knows the token');
  const { body } = await call(caller, 'who');
  assert.deepEqual(JSON.parse(body), { word: 'one', path: '/who', authorization: null });
  const events = await call(caller, 'events');
  assert.equal(events.body.match(/data: one \d/g)?.length, 5);
  assert.ok(events.spread > 150, 'the parts came one by one');
  for (const token of ['rfe_x', `${minted.token}x`])
    assert.equal((await call({ ...caller, token }, 'who')).status, 401);
  assert.equal((await call({ address: caller.address, issuer: caller.issuer }, 'who')).status, 401);
  await cli('endpoint', 'token', 'revoke', 'echo', 'app');
  await until(async () => (await call(caller, 'who')).status === 401, 'the gateway hears of it');
});

test('a new revision takes over under load without a failed request', async () => {
  const minted = JSON.parse(await cli('endpoint', 'token', 'mint', 'echo', 'load', '--json')) as { token: string };
  const caller = await callerOf('echo', minted.token);
  await until(async () => (await call(caller, 'who')).status === 200, 'the gateway knows the token');
  const calls = load(caller);
  await cli('launch', '-y', write('two'));
  await until(
    async () => (await listed())?.replicas.every(({ revision }) => revision === 2) === true,
    'the first revision ends',
  );
  const counts = await calls.stop();
  assert.deepEqual([...counts.keys()].toSorted(), ['200 one', '200 two']);
  assert.equal(await wordBy(), 'two');
});

test('a revision that cannot start leaves the one before it where it is', async () => {
  const file = write('three');
  writeFileSync(file, `name: echo\ntype: serve\nrun: exit 3\nservice: {port: 8000, probe: /health}\n`);
  await cli('launch', '-y', '-d', file);
  await until(async () => (await listed())?.coming === 3, 'the third revision comes');
  await until(
    async () =>
      /not ready:\n +job_\w+: attempt \d+ .*user-code, exit code 3[^]*next: /.test(await cli('status', 'echo')),
    'status says why',
  );
  assert.equal(await wordBy(), 'two');
  await cli('launch', '-y', write('four'));
  assert.equal(await wordBy(), 'four');
  assert.equal((await listed())?.revision, 4);
});

test('from nothing by a held call, and down again by a person', async () => {
  const service = '{port: 8000, probe: /health, replicas: 0..2, scaling: {metric: concurrency, target: 4}}';
  await cli('launch', '-y', write('idle', { name: 'idle', service }));
  assert.equal(await wordBy('idle'), 'idle');
  await cli('endpoint', 'scale', 'idle', '2');
  await until(
    async () => (await listed('idle'))?.replicas.filter(({ state }) => state === 'ready').length === 2,
    'two replicas',
  );
  await cli('endpoint', 'scale', 'idle', '0');
  await until(async () => (await listed('idle'))?.replicas.every(({ state }) => state === 'parked') === true, 'none');
  const resting = await house.cli(['endpoint', 'call', 'idle', '/who']);
  assert.match(resting.stderr, /the gateway answered, not the endpoint: scaled-to-zero, status 503/);
  await cli('endpoint', 'scale', 'idle', 'auto');
  // Until the gateway has heard of it; the call after that is held until there is a replica.
  let held = await called('idle');
  await until(async () => {
    if (held.refusal === 'scaled-to-zero') held = await called('idle');
    return held.refusal !== 'scaled-to-zero';
  }, 'the gateway hears that it may come back');
  assert.deepEqual(held, { refusal: undefined, status: 200 });
  await cli('endpoint', 'rm', 'idle');
  assert.equal(await listed('idle'), undefined);
  await until(async () => (await house.cli(['endpoint', 'call', 'idle', '/who'])).code !== 0, 'nobody serves it');
});

test('callers do not notice that the control plane dies; afterwards it places what is wanted', async () => {
  const { token } = JSON.parse(await cli('endpoint', 'token', 'mint', 'echo', 'cut', '--json')) as { token: string };
  const caller = await callerOf('echo', token);
  await until(async () => (await call(caller, 'who')).status === 200, 'the gateway knows the token');
  const word = await wordBy();
  const calls = load(caller);
  await house.kill('control-plane');
  assert.equal(await wordBy(), word);
  await house.restart('control-plane');
  await cli('launch', '-y', write('after'));
  const counts = await calls.stop();
  assert.deepEqual(
    [...counts.keys()].filter((key) => key !== `200 ${word}` && key !== '200 after'),
    [],
  );
  assert.equal(await wordBy(), 'after');
});

test('a gateway whose agent was killed serves again once it is back, with the tokens that it had', async () => {
  const { token } = JSON.parse(await cli('endpoint', 'token', 'mint', 'echo', 'again', '--json')) as { token: string };
  const caller = await callerOf('echo', token);
  await until(async () => (await call(caller, 'who')).status === 200, 'the gateway knows the token');
  await house.kill('agent-1');
  await house.restart('agent-1');
  const again = await callerOf('echo', token);
  await until(
    async () => (await call(again, 'who')).status === 200,
    'it serves again, by another replica or a new one',
  );
});

for (const [number, point] of [
  'endpoint-before-commit',
  'endpoint-after-commit',
  'replica-before-commit',
  'replica-after-commit',
  'scale-before-commit',
  'scale-after-commit',
].entries())
  test(`callers do not notice that the custodian dies at ${point}, and the launch comes to its end`, async () => {
    const word = `kill-${number}`;
    const token = (JSON.parse(await cli('endpoint', 'token', 'mint', 'echo', word, '--json')) as { token: string })
      .token;
    const caller = await callerOf('echo', token);
    await until(async () => (await call(caller, 'who')).status === 200, 'the gateway knows the token');
    const before = await wordBy();
    const calls = load(caller);
    await house.process('custodian').stop();
    await house.restart('custodian', { RINGFENCE_FAULT: point });
    const file = write(word);
    const launched = await house.cli(['launch', '-y', '-d', file]);
    await house.process('custodian').exited;
    await house.restart('custodian', {});
    if (launched.code !== 0) await cli('launch', '-y', '-d', file);
    await until(async () => (await wordBy()) === word, 'the new revision takes over');
    const counts = await calls.stop();
    assert.deepEqual(
      [...counts.keys()].filter((key) => key !== `200 ${before}` && key !== `200 ${word}`),
      [],
    );
  });
