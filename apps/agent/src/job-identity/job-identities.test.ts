import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ManualClock, silentLog } from '@ringfence/base';
import { ClientError } from '@ringfence/client/error';
import type { IdentityRefusal } from '@ringfence/protocol/payload';
import { STOP_BEFORE_MS } from '../attempt/attempt-machine.ts';
import { IdentityFiles } from './identity-files.ts';
import { JobIdentities, NoIdentity, type IdentityParts } from './job-identities.ts';

const LEASE_MS = 30_000;
const WITHIN_MS = 20_000;
const AUDIENCES = { vault: 'https://vault.example', db: 'https://db.example' };

/** An attempt whose lease is renewed by whoever sets `leaseEnd`, at a custodian that does as it is told. */
function attempt(t: TestContext, wish: Partial<IdentityParts> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-identities-'));
  const clock = new ManualClock();
  const files = new IdentityFiles(join(folder, 'identity'), null);
  const told: { refuse?: IdentityRefusal; away?: boolean; slow?: number } = {};
  const asked: number[] = [];
  const state = { leaseEnd: LEASE_MS };
  const identities = new JobIdentities({
    audiences: AUDIENCES,
    files,
    clock,
    log: silentLog,
    leaseEnd: () => state.leaseEnd,
    ask: async (audience, leaseMs) => {
      asked.push(leaseMs);
      if (told.slow !== undefined) clock.advance(told.slow);
      if (told.away === true) throw new ClientError('unreachable', 'the custodian is away');
      if (told.refuse !== undefined) return { result: 'refused', reasons: [told.refuse] };
      return { result: 'issued', token: `${audience} #${asked.length}`, lifetimeMs: leaseMs };
    },
    ...wish,
  });
  t.after(() => {
    identities.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const read = (name: string) => readFileSync(join(files.folder, name), 'utf8');
  const listed = () => readdirSync(files.folder).toSorted();
  const pass = async (milliseconds: number) => {
    clock.advance(milliseconds);
    await new Promise(setImmediate);
  };
  return { clock, identities, told, asked, state, read, listed, pass, folder: files.folder };
}

describe('the tokens of an attempt', () => {
  it('are there before it starts, one a file that the job’s user alone reads, for less than the lease', async (t) => {
    const { identities, listed, read, folder, asked } = attempt(t);
    await identities.begin(WITHIN_MS);
    assert.deepEqual(listed(), ['db', 'vault']);
    assert.equal(read('vault'), 'https://vault.example #1');
    assert.equal(statSync(join(folder, 'vault')).mode & 0o777, 0o400);
    assert.deepEqual(asked, [LEASE_MS - STOP_BEFORE_MS, LEASE_MS - STOP_BEFORE_MS]);
  });

  it('are renewed at half life, each in place of the one before', async (t) => {
    const { identities, listed, read, state, pass } = attempt(t);
    await identities.begin(WITHIN_MS);
    state.leaseEnd = 60_000;
    await pass(12_499);
    assert.equal(read('vault'), 'https://vault.example #1');
    await pass(1);
    assert.match(read('vault'), /#[34]$/);
    assert.deepEqual(listed(), ['db', 'vault']);
  });

  it('are all gone where one is refused, and the attempt is told why', async (t) => {
    const { identities, listed, clock } = attempt(t, {
      ask: async (audience, lifetimeMs) =>
        audience === AUDIENCES.db
          ? { result: 'refused', reasons: ['audience'] }
          : { result: 'issued', token: 'token', lifetimeMs },
    });
    await assert.rejects(
      identities.begin(WITHIN_MS),
      (error) => error instanceof NoIdentity && error.reasons.join() === 'audience',
    );
    assert.deepEqual(listed(), []);
    assert.equal(clock.waiting, 0);
  });

  it('are not asked for without a lease that gives time, and one that came too late is dropped', async (t) => {
    const none = attempt(t);
    none.state.leaseEnd = STOP_BEFORE_MS + 999;
    const begun = assert.rejects(none.identities.begin(WITHIN_MS), NoIdentity);
    for (let second = 0; second < 20; second += 1) await none.pass(1_000);
    await begun;
    assert.deepEqual(none.asked, []);
    const late = attempt(t, { audiences: { vault: 'https://vault.example' } });
    late.told.slow = STOP_BEFORE_MS + 1;
    const second = late.identities.begin(WITHIN_MS);
    await late.pass(0);
    assert.deepEqual(late.listed(), []);
    delete late.told.slow;
    await late.pass(1_000);
    await second;
    assert.equal(late.read('vault'), 'https://vault.example #2', 'it is asked for again');
  });

  it('are asked for again before it starts where the refusal passes', async (t) => {
    const { identities, told, pass, listed, asked } = attempt(t);
    told.refuse = 'too-often';
    const begun = identities.begin(WITHIN_MS);
    await pass(0);
    await pass(1_000);
    assert.deepEqual([listed(), asked.length], [[], 4]);
    delete told.refuse;
    await pass(1_000);
    await begun;
    assert.deepEqual(listed(), ['db', 'vault']);
  });

  it('go at their end, also while the next one is asked for without an answer', async (t) => {
    let asks = 0;
    const { identities, listed, pass, state } = attempt(t, {
      audiences: { vault: 'https://vault.example' },
      ask: async (_, leaseMs) => {
        asks += 1;
        if (asks > 1) await new Promise(() => {});
        return { result: 'issued', token: 'text', lifetimeMs: leaseMs };
      },
    });
    await identities.begin(WITHIN_MS);
    state.leaseEnd = 600_000;
    await pass(12_500);
    assert.deepEqual([asks, listed()], [2, ['vault']]);
    await pass(12_499);
    assert.deepEqual(listed(), ['vault']);
    await pass(1);
    assert.deepEqual(listed(), []);
  });

  it('go under a lock, and come back after it', async (t) => {
    const { identities, listed, told, pass, state } = attempt(t);
    await identities.begin(WITHIN_MS);
    state.leaseEnd = 600_000;
    told.refuse = 'locked';
    await pass(12_500);
    assert.deepEqual(listed(), []);
    await pass(15_000);
    assert.deepEqual(listed(), []);
    delete told.refuse;
    await pass(15_000);
    assert.deepEqual(listed(), ['db', 'vault']);
  });

  it('go and are asked for no more once one is refused', async (t) => {
    const { identities, listed, told, pass, asked, clock, state } = attempt(t);
    await identities.begin(WITHIN_MS);
    state.leaseEnd = 600_000;
    told.refuse = 'closed';
    await pass(12_500);
    assert.deepEqual(listed(), []);
    const count = asked.length;
    await pass(100_000);
    assert.equal(asked.length, count);
    assert.equal(clock.waiting, 0);
  });

  it('stay to their end while the custodian is away, go then, and come back with it', async (t) => {
    const { identities, listed, told, pass, state } = attempt(t, { audiences: { vault: 'https://vault.example' } });
    await identities.begin(WITHIN_MS);
    state.leaseEnd = 600_000;
    told.away = true;
    for (let second = 0; second < 24; second += 1) await pass(1_000);
    assert.deepEqual(listed(), ['vault']);
    await pass(1_000);
    assert.deepEqual(listed(), []);
    told.away = false;
    await pass(1_000);
    assert.deepEqual(listed(), ['vault']);
  });

  it('end with a lease that nobody renews', async (t) => {
    const { identities, listed, pass, asked } = attempt(t);
    await identities.begin(WITHIN_MS);
    for (let second = 0; second < 40; second += 1) await pass(1_000);
    assert.deepEqual(listed(), []);
    assert.ok(asked.every((leaseMs) => leaseMs <= LEASE_MS - STOP_BEFORE_MS));
    const count = asked.length;
    await pass(60_000);
    assert.equal(asked.length, count);
  });

  it('leave no file and no timer when the attempt is over, not even one that was under way', async (t) => {
    const gate = Promise.withResolvers<void>();
    let asks = 0;
    const { identities, listed, pass, clock, state } = attempt(t, {
      audiences: { vault: 'https://vault.example' },
      ask: async (_, leaseMs) => {
        asks += 1;
        if (asks > 1) await gate.promise;
        return { result: 'issued', token: 'text', lifetimeMs: leaseMs };
      },
    });
    await identities.begin(WITHIN_MS);
    state.leaseEnd = 60_000;
    await pass(12_500);
    assert.equal(asks, 2);
    identities.close();
    gate.resolve();
    await pass(0);
    assert.deepEqual(listed(), []);
    assert.equal(clock.waiting, 0);
  });
});
