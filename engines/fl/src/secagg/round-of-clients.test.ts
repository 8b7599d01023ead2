import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SampleNetwork, sampleRound } from './network.fixture.ts';

for (const clients of [3, 4, 9])
  test(`the sum of ${clients} clients is that of their vectors, bit for bit`, () => {
    const network = new SampleNetwork(sampleRound(clients), `plain ${clients}`);
    for (const member of network.houses.keys()) network.begin(member);
    network.run();
    assert.equal(network.code, undefined);
    assert.deepEqual(network.excluded, []);
    assert.equal(network.outcome?.included.length, clients);
    assert.deepEqual(network.outcome.sum, network.expectedSum());
    const root = Buffer.from(network.outcome.transcriptRoot);
    for (const house of network.houses) assert.ok(root.equals(house.outcome?.transcriptRoot ?? Buffer.alloc(0)));
  });

test('with more clients than can all be neighbours a graph is drawn', () => {
  const network = new SampleNetwork(sampleRound(56, { corrupt: 0.02, dropout: 0.02 }), 'graph');
  for (const member of network.houses.keys()) network.begin(member);
  network.run();
  assert.equal(network.aggregator.roster?.degree.complete, false);
  assert.deepEqual(network.outcome?.sum, network.expectedSum());
});
