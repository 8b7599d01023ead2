import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  epochMs,
  ManualClock,
  newId,
  silentLog,
  systemRng as rng,
  type Clock,
  type MonotonicMs,
  type OrgId,
} from '@ringfence/base';
import { LockWatch, type LocksByOrg } from './lock-watch.ts';
import type { Lock, LockTarget } from './lock.ts';

const org = newId('org', rng);
const other = newId('org', rng);

/** A watch over locks that `store` holds; a store that fails does not answer. */
function watched() {
  const clock = new ManualClock();
  const store: { locks: LocksByOrg; fails: boolean } = { locks: new Map(), fails: false };
  const read = async (): Promise<LocksByOrg> => {
    if (store.fails) throw new Error('away');
    return store.locks;
  };
  return { clock, store, watch: new LockWatch({ clock, log: silentLog, read }) };
}

function lockOn(target: LockTarget, until: number | null = null): LocksByOrg {
  const lock: Lock = { id: newId('lock', rng), target, until: until === null ? null : epochMs(until) };
  return new Map([[org, [lock]]]);
}

/** Lets what was begun come back, then time pass. */
async function pass(clock: ManualClock, milliseconds: number): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed += 100) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(100);
  }
  await new Promise((resolve) => setImmediate(resolve));
}

function stream(watch: LockWatch, party: { org: OrgId; agent?: ReturnType<typeof agentId>; control?: boolean }) {
  const cut: unknown[] = [];
  const { control = false, org: of, agent } = party;
  const open = watch.open({ org: of, control, parties: [{ agent, roles: [] }], cut: (why) => cut.push(why) });
  return { cut, open };
}

const agentId = () => newId('agent', rng);
const deviceOf = (id = newId('device', rng)) => ({ org, device: id, roles: [{ role: 'owner' }] as const });

test('a process that has heard nothing lets nobody in, and after its first read everybody whom no lock names', async () => {
  const { clock, store, watch } = watched();
  const [caller, locked] = [deviceOf(), deviceOf()];
  store.locks = lockOn({ kind: 'device', device: locked.device });
  assert.deepEqual(watch.checkCaller(caller, clock.now()), { allow: false, reasons: ['not-hearing'] });
  await watch.start();
  assert.deepEqual(watch.checkCaller(caller, clock.now()), { allow: true, roles: caller.roles });
  assert.deepEqual(watch.checkCaller(locked, clock.now()), { allow: false, reasons: ['locked'] });
  assert.equal(watch.checkCaller({ ...locked, org: other }, clock.now()).allow, true, 'of another organisation');
  watch.close();
});

test('a stored lock cuts streams with the next read, and those of nobody else', async () => {
  const { clock, store, watch } = watched();
  await watch.start();
  const [bad, good, elsewhere] = [agentId(), agentId(), agentId()];
  const streams = {
    control: stream(watch, { org, agent: bad, control: true }),
    payload: stream(watch, { org, agent: bad }),
    good: stream(watch, { org, agent: good }),
    elsewhere: stream(watch, { org: other, agent: elsewhere }),
    over: stream(watch, { org, agent: bad }),
  };
  streams.over.open.close();
  store.locks = lockOn({ kind: 'agent', agent: bad });
  await pass(clock, 600);
  assert.equal(streams.control.cut.length, 1);
  assert.equal(streams.payload.cut.length, 1);
  assert.deepEqual([streams.good.cut, streams.elsewhere.cut, streams.over.cut], [[], [], []]);
  assert.equal(stream(watch, { org, agent: bad }).cut.length, 1, 'a new one is cut before open returns');
  watch.close();
});

test('without a read nothing begins after 2 s, and after 5 s payload streams are cut; control links stay', async () => {
  const { clock, store, watch } = watched();
  await watch.start();
  const caller = deviceOf();
  const [payload, control] = [
    stream(watch, { org, agent: agentId() }),
    stream(watch, { org, agent: agentId(), control: true }),
  ];
  store.fails = true;
  await pass(clock, 1_900);
  assert.equal(watch.checkCaller(caller, clock.now()).allow, true);
  await pass(clock, 200);
  assert.equal(watch.posture, 'held');
  assert.deepEqual(watch.checkCaller(caller, clock.now()), { allow: false, reasons: ['not-hearing'] });
  assert.deepEqual(payload.cut, []);
  assert.deepEqual(stream(watch, { org, agent: agentId() }).cut, ['not-hearing'], 'a new one does not begin');
  await pass(clock, 3_100);
  assert.equal(watch.posture, 'shut');
  assert.deepEqual([payload.cut, control.cut], [['not-hearing'], []]);
  store.fails = false;
  assert.equal(await watch.heard(), true);
  assert.equal(watch.checkCaller(caller, clock.now()).allow, true);
  watch.close();
});

test('a process that only stood still reads before it judges', async () => {
  const slept = { ms: 0 };
  const manual = new ManualClock();
  const clock: Clock = {
    now: () => manual.now(),
    monotonic: () => (manual.monotonic() + slept.ms) as MonotonicMs,
    after: (delay, run) => manual.after(delay, run),
  };
  const watch = new LockWatch({ clock, log: silentLog, read: async () => new Map() });
  await watch.start();
  const open = stream(watch, { org, agent: agentId() });
  // Nothing runs in between, as when a machine sleeps.
  slept.ms = 20_000;
  await pass(manual, 600);
  assert.equal(await watch.heard(), true);
  assert.deepEqual(open.cut, []);
  watch.close();
});

test('a lock on a role suspends it: who has another goes on with that', async () => {
  const { clock, store, watch } = watched();
  store.locks = lockOn({ kind: 'role', role: 'operator' });
  await watch.start();
  const both = { org, device: newId('device', rng), roles: [{ role: 'operator' }, { role: 'auditor' }] as const };
  assert.deepEqual(watch.checkCaller(both, clock.now()), { allow: true, roles: [{ role: 'auditor' }] });
  watch.close();
});

test('a lock holds until its end and not longer, whatever was read', async () => {
  const { clock, store, watch } = watched();
  const caller = deviceOf();
  store.locks = lockOn({ kind: 'device', device: caller.device }, clock.now() + 1_000);
  await watch.start();
  assert.equal(watch.checkCaller(caller, clock.now()).allow, false);
  await pass(clock, 1_000);
  assert.equal(watch.checkCaller(caller, clock.now()).allow, true);
  watch.close();
});
