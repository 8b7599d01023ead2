import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededRng } from '@ringfence/base';
import { ringWidth } from '../ring/index.ts';
import { readRecord } from './aggregator-state.ts';
import { startAggregator } from './aggregator.ts';
import { AGGREGATOR, AttackedNetwork } from './attack.fixture.ts';
import { decodeFrame } from './frames.ts';
import { sampleRound } from './network.fixture.ts';
import { SECAGG_REFUSALS } from './refusal-code.ts';
import type { RoundParameters } from './round.ts';

const QUIT = { kind: 'quit', code: SECAGG_REFUSALS.indexOf('stopped') } as const;

/** A round of `clients`, of which the first `uploaded` have sent their vectors and the others have not begun to. */
function held(clients: number, uploaded: number, other: Partial<RoundParameters> = {}): AttackedNetwork {
  const network = new AttackedNetwork(sampleRound(clients, { dropout: 0.4, corrupt: 0, ...other }), 'held');
  for (const member of network.houses.keys()) network.begin(member);
  while (network.aggregator.phase !== 'vectors')
    for (const member of network.houses.keys()) if (!network.deliver(member, 'up')) network.deliver(member, 'down');
  for (let member = 0; member < uploaded; member += 1) upload(network, member);
  return network;
}

function upload(network: AttackedNetwork, member: number): void {
  while (!network.folded(member))
    assert.ok(network.deliver(member, 'down') || network.deliver(member, 'up'), 'nothing is under way');
}

const numbers = (end: number): number[] => Array.from({ length: end }, (_, at) => at);

describe('vectors that wait to be added with others', () => {
  it('are in the sum, however many there are when the time is over', () => {
    for (let uploaded = 7; uploaded <= 10; uploaded += 1) {
      const network = held(12, uploaded);
      for (let member = uploaded; member < 12; member += 1) network.drop(member);
      network.run();
      assert.deepEqual(network.outcome?.included, numbers(uploaded));
      assert.deepEqual(network.outcome?.sum, network.expectedSum(), `${uploaded} vectors`);
    }
  });

  it('are in the sum though their clients quit, vanish or send nonsense after them', () => {
    const network = held(12, 7);
    network.say(4, QUIT);
    network.drop(5);
    network.aggregate({ kind: 'frame', member: 6, frame: Uint8Array.of(1, 2, 3) });
    network.run();
    assert.deepEqual(
      network.excluded.filter(([, code]) => code !== 'left-behind'),
      [
        [4, 'stopped'],
        [6, 'malformed-frame'],
      ],
    );
    assert.deepEqual(network.outcome?.included, numbers(12));
    assert.deepEqual(network.outcome?.sum, network.expectedSum());
  });

  it('are hurt by none that is refused among them, nor by one that comes twice', () => {
    for (const before of [0, 3, 4]) {
      // 63 bits: one to spare.
      const network = held(12, before, { width: ringWidth(9), length: 7 });
      while (network.nextUp(before) !== 'chunk')
        assert.ok(network.deliver(before, 'up') || network.deliver(before, 'down'));
      network.forge('chunk', before, () => ({ kind: 'chunk', index: 0, bytes: new Uint8Array(8).fill(255) }));
      network.deliver(before, 'up');
      upload(network, before + 1);
      for (const frame of network.sentBy(before + 1, 'chunk'))
        network.aggregate({ kind: 'frame', member: before + 1, frame });
      network.run();
      assert.deepEqual(network.excluded, [[before, 'malformed-frame']]);
      assert.deepEqual(
        network.outcome?.included,
        numbers(12).filter((member) => member !== before),
      );
      assert.deepEqual(network.outcome?.sum, network.expectedSum(), `the one after ${before}`);
    }
  });

  it('were promised to nobody when the aggregator is killed: their round is burned, and the next one begins anew', () => {
    for (let uploaded = 1; uploaded <= 6; uploaded += 1) {
      const killed = held(6, uploaded);
      const told = killed.houses.map(({ down }) => down.map((frame) => decodeFrame(frame).body.kind)).flat();
      const named = uploaded === 6;
      assert.equal(told.includes('survivors'), named);
      const stored = readRecord(killed.record ?? assert.fail());
      assert.deepEqual(stored, { round: 1, asked: named, over: false });
      const ports = { identity: AGGREGATOR, rng: seededRng('killed') };
      assert.throws(() => startAggregator(killed.round, 1, ports), { code: 'replayed-round' });
      const next = new AttackedNetwork(sampleRound(6, { round: 2 }), 'next');
      for (const [member, { sequence }] of killed.houses.entries()) {
        next.house(member).sequence = sequence;
        next.begin(member);
      }
      next.run();
      assert.deepEqual(next.outcome?.included, numbers(6));
      assert.deepEqual(next.outcome?.sum, next.expectedSum());
    }
  });
});
