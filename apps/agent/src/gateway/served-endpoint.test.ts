import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ManualClock } from '@ringfence/base';
import { LISTED, READY_REPLICA } from './listed-endpoint.fixture.ts';
import { ServedEndpoint } from './served-endpoint.ts';
import type { ReplicaRoad, Target } from './target.ts';

function endpointOf(most = 1) {
  const clock = new ManualClock();
  const road: { sends: Awaited<ReturnType<ReplicaRoad['send']>>; known: boolean } = { sends: 'answered', known: true };
  let told = 0;
  const endpoint = new ServedEndpoint(LISTED, {
    clock,
    draw: () => 0,
    findRoad: () => (road.known ? { most, send: () => Promise.resolve(road.sends) } : undefined),
    onHeld: () => (told += 1),
  });
  const hold = (until: number): Promise<Target | undefined> => endpoint.hold({ until, caller: 'a' }, () => {});
  return { endpoint, clock, hold, road, told: () => told };
}

describe('an endpoint at a gateway', () => {
  it('tells at once of each request that it holds, and lets the oldest go when a replica comes', async () => {
    const { endpoint, hold, told } = endpointOf();
    const [first, second] = [hold(60_000), hold(60_000)];
    assert.deepEqual([told(), endpoint.load().held], [2, 2]);
    endpoint.update({ ...LISTED, replicas: [READY_REPLICA] });
    const target = await first;
    assert.ok(target !== undefined);
    assert.deepEqual([endpoint.load().held, endpoint.load().inFlight], [1, 1]);
    endpoint.release(target);
    assert.equal(await second, target);
  });

  it('gives up what waited long enough, and sends nothing to a replica that drains', async () => {
    const { endpoint, clock, hold } = endpointOf();
    endpoint.update({ ...LISTED, replicas: [{ ...READY_REPLICA, state: 'draining' }] });
    assert.equal(endpoint.take(), undefined);
    const late = hold(60_000);
    clock.advance(60_000);
    assert.equal(await late, undefined);
    assert.equal(endpoint.isBusy, false);
  });

  it('lets nobody wait while its owner wants no replica, and holds again afterwards', async () => {
    const { endpoint, hold, told } = endpointOf();
    const early = hold(60_000);
    endpoint.update({ ...LISTED, resting: true });
    assert.equal(await early, undefined);
    assert.equal(await hold(60_000), undefined);
    assert.deepEqual([told(), endpoint.isBusy], [1, false]);
    endpoint.update(LISTED);
    const late = hold(60_000);
    endpoint.update({ ...LISTED, replicas: [READY_REPLICA] });
    assert.ok((await late) !== undefined);
  });

  it('lets a replica rest that did not take a request, and then tries it again', async () => {
    const { endpoint, clock, hold, road } = endpointOf();
    endpoint.update({ ...LISTED, replicas: [READY_REPLICA] });
    const target = endpoint.take();
    assert.ok(target !== undefined);
    road.sends = 'not-taken';
    await target.send(() => clock.monotonic(), {} as never);
    endpoint.release(target);
    assert.equal(endpoint.take(), undefined);
    const held = hold(60_000);
    clock.advance(100);
    assert.equal(await held, target);
  });

  it('finds the way to a listed replica whose agent it did not know, without another word from the custodian', async () => {
    const { endpoint, clock, hold, road } = endpointOf();
    road.known = false;
    endpoint.update({ ...LISTED, replicas: [READY_REPLICA] });
    const held = hold(60_000);
    clock.advance(1_000);
    assert.equal(endpoint.load().held, 1);
    road.known = true;
    clock.advance(1_000);
    assert.ok((await held) !== undefined);
  });
});
