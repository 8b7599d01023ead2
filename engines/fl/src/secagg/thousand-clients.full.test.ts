import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SampleNetwork, sampleRound } from './network.fixture.ts';

test('a thousand clients, of whom each hundredth is lost with its shares dealt and each hundredth after its vector, come to the exact sum', () => {
  const network = new SampleNetwork(sampleRound(1_000, { length: 4, corrupt: 0.05, dropout: 0.05 }), 'thousand');
  for (const member of network.houses.keys()) network.begin(member);
  for (let turns = 0; turns < 40 && network.outcome === undefined && network.code === undefined; turns += 1) {
    const { phase } = network.aggregator;
    let moved = false;
    for (const member of network.houses.keys()) {
      if ((phase === 'vectors' && member % 100 === 7) || (phase === 'consents' && member % 100 === 8))
        network.drop(member);
      while (network.aggregator.phase === phase && network.deliver(member, 'up')) moved = true;
      while (network.aggregator.phase === phase && network.deliver(member, 'down')) moved = true;
    }
    if (!moved && network.armed === phase) network.aggregate({ kind: 'deadline', phase });
  }
  const { degree } = network.aggregator.roster ?? assert.fail();
  assert.deepEqual([degree.neighbours, degree.threshold, degree.complete], [58, 42, false]);
  assert.equal(network.outcome?.included.length, 990);
  assert.deepEqual(network.outcome.sum, network.expectedSum());
});
