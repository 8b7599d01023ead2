import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { epochMs, newId, systemRng } from '@ringfence/base';
import { ControlPlaneClient } from '@ringfence/client/api';
import type { DurablePartyMessage } from '@ringfence/client/control-link';
import { SigningKey } from '@ringfence/crypto/sign';
import { runAsSuperuser } from '@ringfence/store/test-database';
import {
  cleanUp,
  ShiftedClock,
  startDatabase,
  startReplica,
  temporaryFolder,
  until,
} from '../control-plane.fixture.ts';
import { memberOf, newAgent, TestOrganisation, type Target, type TestAgent } from '../organisation.fixture.ts';
import { TestBrowser } from '../sessions/test-browser.fixture.ts';
import type { RunningControlPlane } from '../start.ts';

const DAY_MS = 86_400_000;
const LOOK_MS = 31_000;

/** A second officer's device, and its client. */
interface Officer {
  readonly id: ReturnType<typeof newId<'device'>>;
  readonly sign: SigningKey;
}

interface House {
  readonly replicas: readonly [RunningControlPlane, RunningControlPlane];
  readonly org: TestOrganisation;
  readonly clock: ShiftedClock;
  readonly url: string;
}

/** Two replicas on one database, and an organisation with an agent at each. */
async function house(
  t: TestContext,
): Promise<House & { client: ControlPlaneClient; custodian: { send(message: DurablePartyMessage): Promise<number> } }> {
  const database = await startDatabase(t);
  const clock = new ShiftedClock();
  const keys = temporaryFolder(t);
  const setup = { databaseUrl: database.url, keys, clock };
  const replicas = [await startReplica(t, setup), await startReplica(t, setup)] as const;
  const org = new TestOrganisation(clock);
  const { client, custodian } = await org.enrol(t, replicas[0]);
  return { replicas, org, clock, url: database.url, client, custodian };
}

function clientOf(t: TestContext, { ready }: Target, officer: Officer, clock: ShiftedClock): ControlPlaneClient {
  const client = new ControlPlaneClient({
    url: ready.url,
    caFile: ready['ca_file'] ?? '',
    clock,
    rng: systemRng,
    identity: { device: officer.id, key: officer.sign },
  });
  cleanUp(t, () => client.close());
  return client;
}

function atSite({ id, sign, site }: TestAgent): DurablePartyMessage {
  const body = { op: 'add', id, sign: sign.publicKey, keyringSeq: 2, tier: 'private', site } as const;
  return { name: 'member', body };
}

const makeOfficer = (): Officer => ({ id: newId('device', systemRng), sign: SigningKey.generate(systemRng) });

test('locks at two replicas of a control plane', async (of) => {
  const { client, org, clock, replicas, custodian, url } = await house(of);
  const mate = makeOfficer();
  await of.test('a lone officer locks nobody out: not itself, and lifting waits a day that is looked at', async () => {
    const away = { ...newAgent() };
    await custodian.send(atSite(away));
    const link = org.dial(of, replicas[1], away);
    await until('its link is up', () => link.link.state === 'up');
    for (const target of [
      { kind: 'device', device: org.device.id },
      { kind: 'role', role: 'officer' },
      { kind: 'role', role: 'owner' },
    ] as const)
      await assert.rejects(client.locks.set(target), { code: 'conflict' });
    const set = await client.locks.set({ kind: 'agent', agent: away.id });
    await until('it is cut off', () => link.link.state === 'locked');
    assert.equal(
      (await client.agents()).some(({ agent, locked }) => agent === away.id && locked),
      false,
      'it offered nothing',
    );

    clock.shift(2 * DAY_MS);
    await until('the lock has ended', async () => (await client.locks.list()).length === 0);
    await assert.rejects(
      client.locks.set({ kind: 'agent', agent: away.id }),
      { code: 'conflict' },
      'the same officer, again',
    );
    const second = await client.locks.set({ kind: 'site', site: away.site });
    assert.notEqual(second.lock, set.lock);
    const invited = await client.inviteMember({ roles: [{ role: 'officer' }] });
    await new TestBrowser(replicas[0], clock).accept(invited);
    const waiting = await client.locks.agree(second.lock, 'lift', second.term);
    assert.deepEqual(
      [waiting.done, waiting.lock.lifting?.phase],
      [false, 'waiting'],
      'whom it let in is no second one',
    );
    await client.removeMember(invited.member);
    // A clock that jumps is not a day in which somebody could object.
    clock.shift(DAY_MS - 3_600_000);
    const waitedMs = async () => (await client.locks.list())[0]?.lifting?.waitedMs;
    await until('it was looked at', async () => (await waitedMs()) !== 0);
    // Time passes in a test, too: a second look may have come, and counts no more either.
    const waited = (await waitedMs()) ?? assert.fail('the lock is still there');
    assert.ok(waited < 120_000, 'one look counts a minute at most');
    clock.shift(LOOK_MS);
    await until('the next look counts on', async () => ((await waitedMs()) ?? 0) > waited);
  });

  await of.test(
    'a lock at one replica cuts the control links of both, refuses requests at both, and is lifted again',
    async () => {
      const there = { ...newAgent(), site: newId('site', systemRng) };
      const here = { ...newAgent(), site: there.site };
      for (const agent of [here, there]) await custodian.send(atSite(agent));
      const links = [org.dial(of, replicas[0], here), org.dial(of, replicas[1], there)];
      await until('both links are up', () => links.every(({ link }) => link.state === 'up'));
      await custodian.send(memberOf(mate));
      const [theirs, elsewhere] = [clientOf(of, replicas[0], mate, clock), clientOf(of, replicas[1], mate, clock)];
      await until('the device is known', () =>
        theirs.jobs().then(
          () => true,
          () => false,
        ),
      );
      await elsewhere.jobs();

      const set = await client.locks.set({ kind: 'site', site: there.site });
      await until('both are cut off', () => links.every(({ link }) => link.state === 'locked'));
      assert.equal(set.until !== null && set.until - set.setAt, DAY_MS);
      await assert.rejects(client.locks.set({ kind: 'site', site: there.site }), { code: 'conflict' });

      await client.locks.set({ kind: 'device', device: mate.id });
      await assert.rejects(theirs.jobs(), { code: 'locked', status: 403 });
      await until('the other replica refuses too', () =>
        elsewhere.jobs().then(
          () => false,
          ({ code }) => code === 'locked',
        ),
      );
      // Nobody is left who could act on the other one.
      await assert.rejects(client.locks.set({ kind: 'device', device: org.device.id }), { code: 'conflict' });

      // Two officers, one of them locked: the quorum is two all the same.
      const [lock] = (await client.locks.list()).filter(({ target }) => target.kind === 'device');
      assert.ok(lock !== undefined);
      const agreed = await client.locks.agree(lock.lock, 'lift', lock.term);
      assert.deepEqual([agreed.done, agreed.lock.lifting?.phase], [false, 'collecting']);
    },
  );

  await of.test('of confirming and lifting at once one wins, at whichever replica', async () => {
    const third = makeOfficer();
    await custodian.send(memberOf(third));
    const theirs = clientOf(of, replicas[1], third, clock);
    await until('the second officer is known', () =>
      theirs.jobs().then(
        () => true,
        () => false,
      ),
    );
    const rounds = process.env['RINGFENCE_TEST_FULL'] === '1' ? 200 : 8;
    for (let round = 0; round < rounds; round += 1) {
      const { lock, term } = await client.locks.set({ kind: 'agent', agent: newAgent().id });
      // Each was agreed to by one; the second agreements come at once.
      await client.locks.agree(lock, 'confirm', term);
      await client.locks.agree(lock, 'lift', term);
      const results = await Promise.allSettled([
        theirs.locks.agree(lock, 'confirm', term),
        theirs.locks.agree(lock, 'lift', term),
      ]);
      const done = results.filter((result) => result.status === 'fulfilled' && result.value.done);
      assert.equal(done.length, 1, `round ${round}`);
    }
  });

  await of.test(
    'a custodian’s word sets, replaces and ends its own lock, and leaves an officer’s as it is',
    async () => {
      const { id: agent } = newAgent();
      const target = { kind: 'agent', agent } as const;
      const own = await client.locks.set(target);
      const held = async () => {
        const locks = (await client.locks.list()).filter(
          (lock) => lock.target.kind === 'agent' && lock.target.agent === agent,
        );
        assert.deepEqual(
          locks.filter(({ source }) => source === 'officer'),
          [own],
        );
        return locks.filter(({ source }) => source !== 'officer').map(({ source, until: end }) => [source, end]);
      };
      const end = epochMs(clock.now() + DAY_MS);
      for (const [word, now] of [
        [{ locked: true, until: end }, [['custodian', end]]],
        [{ locked: true, until: epochMs(end + DAY_MS) }, [['custodian', end + DAY_MS]]],
        [{ locked: true, until: null }, [['custodian', null]]],
        [{ locked: false, until: null }, []],
      ] as const) {
        await custodian.send({ name: 'lock-word', body: { target: agent, ...word } });
        await until(`held is ${JSON.stringify(now)}`, async () => isDeepStrictEqual(await held(), now));
      }
    },
  );

  await of.test('a replica that cannot read the locks begins nothing, and goes on when it can', async () => {
    await client.jobs();
    await runAsSuperuser(url, 'alter table rf_cp.lock rename to lock_away');
    await until('requests are refused', () =>
      client.jobs().then(
        () => false,
        ({ code }) => code === 'unavailable',
      ),
    );
    await runAsSuperuser(url, 'alter table rf_cp.lock_away rename to lock');
    await until('requests are answered', () =>
      client.jobs().then(
        () => true,
        () => false,
      ),
    );
  });
});
