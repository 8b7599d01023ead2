// Two processes, one custodian: the active one dies or freezes while jobs run, and the other goes on.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { silentLog } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { removeEmbedded, startEmbedded } from '@ringfence/store';
import pg from 'pg';
import { ownEntries, portOf, roleCommand, text, type StartedProcess } from '../../scripts/house/index.ts';
import { startProcess } from '../../scripts/house/started-process.ts';
import { startArmedHouse, type ArmedHouse } from '../kill/armed-house.ts';
import { assertCommittedOnce, until, untilOver } from '../kill/job-outcome.ts';
import { assertWireVerified } from '../kill/ledgers.ts';
import { orderJob, untilTaken, type Ordered } from '../kill/order.ts';

const WITHIN_MS = 60_000;
const root = mkdtempSync(join(tmpdir(), 'ringfence-standby-'));
const stateDir = join(root, 'shared-database');
const standbys: StartedProcess[] = [];
let database: Awaited<ReturnType<typeof startEmbedded>>;
let armed: ArmedHouse;
let env: Record<string, string>;

before(async () => {
  mkdirSync(stateDir);
  database = await startEmbedded({ stateDir, log: silentLog, clock });
  const url = Buffer.from(database.connectionString().expose()).toString();
  env = { CUSTODIAN_DATABASE_URL: url, RINGFENCE_STANDBY: '1' };
  armed = await startArmedHouse(root, 1, { custodian: env });
});

after(async () => {
  await armed?.close();
  for (const standby of standbys) await standby.stop();
  await database?.stop();
  await removeEmbedded({ stateDir, clock });
  rmSync(root, { recursive: true, force: true });
});

/** A second process for the same custodian, as another machine with the same folder and database would start it. */
async function startStandby(name: string): Promise<StartedProcess> {
  const { house } = armed;
  const relay = house.process('relay');
  const admin = `127.0.0.1:${await portOf(house.root, name)}`;
  const args = ['run', '--standby', '--state', join(house.root, 'custodian'), '--relay', text(relay, 'url')];
  const more = ['--relay-ca', text(relay, 'ca_file'), '--reconnect-within', '1s', '--admin', admin];
  const command = roleCommand(ownEntries(), 'custodian', [...args, ...more]);
  const standby = await startProcess({ name, root: house.root, command, env });
  standbys.push(standby);
  return standby;
}

/** What `/readyz` says. */
async function readiness(process: StartedProcess): Promise<string> {
  try {
    const answer = await fetch(`${text(process, 'admin')}/readyz`);
    return `${answer.status} ${(await answer.text()).trim()}`;
  } catch {
    return 'away';
  }
}

async function untilActive(process: StartedProcess): Promise<void> {
  await until(armed, WITHIN_MS, async () => {
    const said = await readiness(process);
    return said.startsWith('200') ? { done: undefined } : { waiting: `${process.name}: ${said}` };
  });
}

/** Longer than a takeover needs. */
const HELD_SECONDS = 16;

/** A job that has begun and goes on until after the takeover. */
async function runningJob(): Promise<Ordered> {
  const ordered = await orderJob(armed, { run: `sleep ${HELD_SECONDS}; echo ran > /out/result` });
  await until(armed, WITHIN_MS, async () => {
    const { state } = await untilTaken(() => armed.session.controlPlane.job(ordered.job));
    return state === 'running' ? { done: undefined } : { waiting: state };
  });
  return ordered;
}

/** A link that is open to a frozen process is given up after a minute without a byte, by agents and clients alike. */
const FROZEN_LINK_MS = 180_000;

async function assertDone(ordered: Ordered, told: string): Promise<void> {
  await assertCommittedOnce(armed, ordered, await untilOver(armed, ordered, FROZEN_LINK_MS), told);
}

/** Asks until the custodian answers this client. */
async function untilAnswered(): Promise<void> {
  await until(armed, FROZEN_LINK_MS, () =>
    armed.session.custodian.status().then(
      () => ({ done: undefined }),
      (error: unknown) => ({ waiting: String(error) }),
    ),
  );
}

/** Each row of the answer is one number or text. */
async function ask(query: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: env['CUSTODIAN_DATABASE_URL'] });
  await client.connect();
  try {
    return (await client.query({ text: query, rowMode: 'array' })).rows.flat();
  } finally {
    await client.end();
  }
}

test('the standby goes on when the active one is killed, and when it freezes; what wakes again can do nothing', async () => {
  const first = armed.house.process('custodian');
  assert.equal(first.ready['role'], 'active');
  const second = await startStandby('custodian-b');
  assert.equal(second.ready['role'], 'standby');
  assert.match(await readiness(second), /^503 .*standby/);

  const held = await runningJob();
  await armed.house.kill('custodian');
  // Ordered while nobody is active: waits, and is granted by the one that takes over.
  const waiting = orderJob(armed);
  await untilActive(second);
  await assertDone(await waiting, 'ordered while the active one was dead');
  await assertDone(held, 'ran while the active one was killed');

  const third = await startStandby('custodian-c');
  const frozen = await runningJob();
  second.kill('SIGSTOP');
  await untilActive(third);
  await untilAnswered();
  await assertDone(await orderJob(armed), 'ordered while the other is frozen');
  second.kill('SIGCONT');
  assert.deepEqual(await second.exited, { code: 1, signal: null }, 'it ends when it wakes');
  await assertDone(frozen, 'ran while the active one froze');
  await assertDone(await orderJob(armed), 'after the old one woke');

  assert.deepEqual(await ask('select term from rf_cu.active_term'), ['3']);
  const committed = await ask(
    `select convert_from(body, 'UTF8')::jsonb->'event'->>'job' from rf_cu.event where type = 'committed'`,
  );
  assert.equal(committed.length, 5);
  assert.equal(new Set(committed).size, 5, 'no job is committed twice');
  await assertWireVerified(armed);

  const fourth = await startStandby('custodian-d');
  await third.stop();
  await untilActive(fourth);
  await assertDone(await orderJob(armed), 'after an orderly stop');
});
