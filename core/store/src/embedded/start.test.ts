import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  accessSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { silentLog } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { until } from '@ringfence/base/until';
import pg from 'pg';
import { missing } from '../../../../scripts/needs.ts';
import { parsePasswd, chooseAccount, type Account } from './account.ts';
import { placesOf } from './places.ts';
import { readPostmasterFile } from './postmaster-file.ts';
import { readProcess } from './process-entry.ts';
import { removeEmbedded, startEmbedded, type EmbeddedServer } from './start.ts';

const FIXTURE = fileURLToPath(new URL('start.fixture.ts', import.meta.url));
const asRoot = process.getuid?.() === 0;

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

const urlOf = (server: EmbeddedServer): string => Buffer.from(server.connectionString().expose()).toString();

interface Started {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly reused: boolean;
  readonly owned: boolean;
  readonly url: string;
}

async function startChild(state: string, account?: Account): Promise<Started> {
  const child = spawn(process.execPath, [FIXTURE, state], {
    stdio: ['pipe', 'pipe', 'inherit'],
    ...(account === undefined ? {} : { uid: account.uid, gid: account.gid, env: { ...process.env, TMPDIR: '/tmp' } }),
  });
  assert.ok(child.stdout);
  const [line] = await Promise.race([
    once(createInterface(child.stdout), 'line'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`the fixture ended with ${code}`))),
  ]);
  return { child, ...JSON.parse(line) };
}

async function endChild({ child }: Started): Promise<void> {
  child.stdin?.end();
  if (child.exitCode === null) await once(child, 'exit');
}

async function canRead({ uid, gid }: Account, path: string): Promise<boolean> {
  const probe = spawn('/bin/cat', [path], { uid, gid, stdio: 'ignore' });
  const [code] = await once(probe, 'exit');
  return code === 0;
}

describe('embedded database', () => {
  let state = '';
  const started = new Set<EmbeddedServer>();
  const start = async (): Promise<EmbeddedServer> => {
    const server = await startEmbedded({ stateDir: state, log: silentLog, clock });
    started.add(server);
    return server;
  };

  before(() => {
    state = mkdtempSync(join(tmpdir(), 'rf-test-'));
  });
  after(async () => {
    // What a failed test left running would be restarted for ever by its own watch.
    await Promise.allSettled([...started].map((server) => server.stop()));
    await removeEmbedded({ stateDir: state, clock });
    rmSync(state, { recursive: true });
  });

  test('starts cold, answers, keeps what it acknowledged, and starts again', async (t) => {
    const since = clock.monotonic();
    const first = await start();
    const cold = clock.monotonic() - since;
    assert.deepEqual([first.reused, first.owned], [false, true]);
    const shown = await query(
      urlOf(first),
      `select current_setting('listen_addresses') as a, current_setting('fsync') as f,
      current_setting('synchronous_commit') as s, current_setting('data_checksums') as c`,
    );
    assert.deepEqual(shown, [{ a: '', f: 'on', s: 'on', c: 'on' }]);
    await query(urlOf(first), 'create table kept (n int); insert into kept values (7)');
    await first.stop();
    assert.equal(existsSync(first.socketDir), false);
    assert.equal(readProcess(first.pid), undefined);
    const again = clock.monotonic();
    const second = await start();
    t.diagnostic(`cold start ${Math.round(cold)} ms, second start ${Math.round(clock.monotonic() - again)} ms`);
    assert.deepEqual(await query(urlOf(second), 'select n from kept'), [{ n: 7 }]);
    await second.stop();
  });

  test('the password file is private, and the password is in no argument, environment or log of the server', async () => {
    const server = await start();
    const places = placesOf(state, asRoot);
    const password = readFileSync(places.password, 'utf8').trim();
    assert.equal(statSync(places.password).mode & 0o777, 0o600);
    for (const path of [`/proc/${server.pid}/cmdline`, `/proc/${server.pid}/environ`, places.log])
      assert.equal(readFileSync(path, 'latin1').includes(password), false, path);
    await assert.rejects(query(urlOf(server).replace(password, 'wrong'), 'select 1'), { code: '28P01' });
    await server.stop();
  });

  test('a second handle uses the running server and does not stop it', async () => {
    const first = await start();
    const second = await start();
    assert.deepEqual([second.pid, second.reused, second.owned], [first.pid, true, false]);
    await second.stop();
    assert.deepEqual(await query(urlOf(first), 'select 1 as n'), [{ n: 1 }]);
    await first.stop();
  });

  test('two processes that start a new state folder at the same time share one server', async () => {
    const fresh = mkdtempSync(join(tmpdir(), 'rf-test-'));
    try {
      const both = await Promise.all([startChild(fresh), startChild(fresh)]);
      assert.equal(both[0].pid, both[1].pid);
      assert.equal(both[0].url, both[1].url);
      for (const child of both) assert.deepEqual(await query(child.url, 'select 1 as n'), [{ n: 1 }]);
      for (const child of both.sort((a, b) => Number(a.owned) - Number(b.owned))) await endChild(child);
    } finally {
      await removeEmbedded({ stateDir: fresh, clock });
      rmSync(fresh, { recursive: true });
    }
  });

  test('kill -9 of the parent: the next start takes the server over', async () => {
    const parent = await startChild(state);
    await query(parent.url, 'insert into kept values (8)');
    parent.child.kill('SIGKILL');
    await once(parent.child, 'exit');
    const next = await start();
    assert.deepEqual([next.pid, next.reused, next.owned], [parent.pid, true, true]);
    assert.deepEqual(await query(urlOf(next), 'select n from kept order by n'), [{ n: 7 }, { n: 8 }]);
    await next.stop();
    assert.equal(readProcess(parent.pid), undefined);
  });

  test('kill -9 of parent and server: the next start waits for a backend that lives on, then recovers', async () => {
    const parent = await startChild(state);
    await query(parent.url, 'insert into kept values (9)');
    const { log } = placesOf(state, asRoot);
    const client = new pg.Client({ connectionString: parent.url });
    client.on('error', () => {});
    await client.connect();
    const backend = Number((await client.query('select pg_backend_pid() as pid')).rows[0].pid);
    process.kill(backend, 'SIGSTOP');
    try {
      parent.child.kill('SIGKILL');
      process.kill(parent.pid, 'SIGKILL');
      const starting = start();
      await until(() => readFileSync(log, 'utf8').includes('pre-existing shared memory block'), 'a refused start');
      process.kill(backend, 'SIGCONT');
      const next = await starting;
      assert.notEqual(next.pid, parent.pid);
      assert.deepEqual(await query(urlOf(next), 'select count(*)::int as n from kept'), [{ n: 3 }]);
      await next.stop();
    } finally {
      if (readProcess(backend) !== undefined) process.kill(backend, 'SIGKILL');
      await client.end().catch(() => {});
    }
  });

  test('kill -9 of the server alone: it comes back on the same socket', async () => {
    const server = await start();
    const former = server.pid;
    process.kill(former, 'SIGKILL');
    await until(() => server.pid !== former, 'the restart');
    assert.deepEqual(await query(urlOf(server), 'select count(*)::int as n from kept'), [{ n: 3 }]);
    await server.stop();
    assert.equal(readProcess(server.pid), undefined);
  });

  test('a stale postmaster.pid whose number belongs to a stranger does not hold the start up', async () => {
    const parent = await startChild(state);
    const places = placesOf(state, asRoot);
    const file = readFileSync(join(places.data, 'postmaster.pid'), 'utf8');
    await endChild(parent);
    const stranger = spawn('/bin/sleep', ['60'], asRoot ? { uid: statSync(places.data).uid } : {});
    try {
      writeFileSync(join(places.data, 'postmaster.pid'), file.replace(/^\d+/, String(stranger.pid)));
      if (asRoot) chownSync(join(places.data, 'postmaster.pid'), statSync(places.data).uid, statSync(places.data).gid);
      const server = await start();
      assert.notEqual(readPostmasterFile(places.data)?.pid, stranger.pid);
      await server.stop();
    } finally {
      stranger.kill('SIGKILL');
    }
  });

  test('a moved state folder or missing data is refused, and works again when it is back', async () => {
    renameSync(state, `${state}-moved`);
    const moved = startEmbedded({ stateDir: `${state}-moved`, log: silentLog, clock });
    if (asRoot) await assert.rejects(moved, { code: 'state-moved' });
    else await (await moved).stop();
    renameSync(`${state}-moved`, state);
    const { data } = placesOf(state, asRoot);
    renameSync(data, `${data}-away`);
    await assert.rejects(start(), { code: 'data-missing' });
    renameSync(`${data}-away`, data);
    const server = await start();
    assert.deepEqual(await query(urlOf(server), 'select count(*)::int as n from kept'), [{ n: 3 }]);
    await server.stop();
  });

  test(
    'a state folder made anew starts empty, stops the former server and keeps its data aside',
    { skip: missing('root') },
    async () => {
      const { cluster, own, identity } = placesOf(state, asRoot);
      const parent = await startChild(state);
      parent.child.kill('SIGKILL');
      await once(parent.child, 'exit');
      const { id } = JSON.parse(readFileSync(identity, 'utf8'));
      const aside = `${cluster}.${id}.abandoned`;
      try {
        rmSync(own, { recursive: true });
        const server = await start();
        assert.equal(readProcess(parent.pid), undefined);
        assert.deepEqual(await query(urlOf(server), `select to_regclass('kept') as kept`), [{ kept: null }]);
        assert.ok(existsSync(join(aside, 'data', 'PG_VERSION')));
        await server.stop();
      } finally {
        rmSync(aside, { recursive: true, force: true });
      }
    },
  );

  test('a plain user keeps everything in the state folder', { skip: missing('root') }, async (t) => {
    const account = chooseAccount(parsePasswd(readFileSync('/etc/passwd', 'utf8')));
    const plain = mkdtempSync('/tmp/rf-test-');
    chownSync(plain, account.uid, account.gid);
    try {
      if (!(await canRead(account, FIXTURE)))
        return t.diagnostic('not tried: the checkout is under a folder that only root can enter');
      const child = await startChild(plain, account);
      assert.deepEqual(await query(child.url, 'select 1 as n'), [{ n: 1 }]);
      accessSync(join(plain, 'database', 'cluster', 'data', 'PG_VERSION'));
      assert.equal(readProcess(child.pid)?.uid, account.uid);
      await endChild(child);
      assert.equal(readProcess(child.pid), undefined);
    } finally {
      rmSync(plain, { recursive: true });
    }
  });
});
