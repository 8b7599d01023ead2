import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runSchedule } from './fault-schedule.fixture.ts';
import { SampleNetwork, sampleRound } from './network.fixture.ts';

test('whatever fails and when, the sum is bit-equal to the plaintext or the round ends cleanly', () => {
  const ends = Array.from({ length: 40 }, (_, at) => runSchedule(`schedule ${at}`, 3 + (at % 6)));
  // Both happen, or the schedules show nothing.
  assert.ok(ends.some(({ code, faults }) => code === undefined && faults > 3));
  assert.ok(ends.some(({ code }) => code !== undefined));
  assert.ok(ends.some(({ included, clients }) => included > 0 && included < clients));
});

test('a client that is killed, or whose link breaks, at any frame of a round comes back into it', () => {
  for (const fault of ['restart', 'reconnect'] as const)
    for (let at = 0; at < 12; at += 1) {
      const network = new SampleNetwork(sampleRound(4), `${fault} ${at}`);
      for (const member of network.houses.keys()) network.begin(member);
      let frames = 0;
      for (let turns = 0; turns < 100 && network.outcome === undefined; turns += 1)
        for (const member of network.houses.keys())
          for (const way of ['up', 'down'] as const) {
            if (member === 1 && network.house(1)[way].length > 0) {
              if (frames === at) network[fault](1);
              frames += 1;
            }
            network.deliver(member, way);
          }
      assert.ok(frames > 8);
      assert.deepEqual(network.outcome?.included, [0, 1, 2, 3], `${fault} ${at}`);
      assert.deepEqual(network.outcome?.sum, network.expectedSum());
      assert.deepEqual(network.excluded, []);
    }
});
