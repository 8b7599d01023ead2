import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Secret, seededRng } from '@ringfence/base';
import { ringWidth } from '../ring/index.ts';
import { commitmentOf, decodeShare, encodeShare } from '../sharing/index.ts';
import { AttackedNetwork } from './attack.fixture.ts';
import { signDealing } from './dealing.ts';
import { DEALT_BYTES, encodeFrame } from './frames.ts';
import { openStatement, signStatement } from './key-statement.ts';
import { identityOf } from './network.fixture.ts';
import { dealtTo } from './share-letter.ts';

const flipped = (bytes: Uint8Array, at: number): Uint8Array =>
  Uint8Array.from(bytes, (value, index) => (index === at ? value ^ 1 : value));

/** Delivers the frame that waits and lets the others go on without its sender. */
function goOn(network: AttackedNetwork, member: number): void {
  network.deliver(member, 'up');
  network.run();
}

describe('a client that lies is put out by name, and the others go on', () => {
  test('a share in the answer that is not the one dealt', () => {
    const network = AttackedNetwork.until('answer', 1);
    network.forge('answer', 1, ({ shares }) => ({
      kind: 'answer',
      shares: shares.map(({ place, bytes }) => ({ place, bytes: flipped(bytes, 5) })),
    }));
    goOn(network, 1);
    network.putOut(1, 'bad-unmask-share');
    assert.deepEqual(network.outcome?.sum, network.expectedSum());
    assert.deepEqual(network.outcome?.included, [0, 1, 2, 3]);
  });

  test('both shares of one neighbour in an answer', () => {
    const network = AttackedNetwork.until('answer', 1);
    network.forge('answer', 1, ({ shares }) => ({ kind: 'answer', shares: [...shares, ...shares.slice(0, 1)] }));
    goOn(network, 1);
    network.putOut(1, 'both-lists');
    assert.deepEqual(network.outcome?.sum, network.expectedSum());
  });

  test('two answers', () => {
    const network = AttackedNetwork.until('answer', 1, 5);
    network.forge('answer', 1, ({ shares }) => ({ kind: 'answer', shares: shares.slice(1) }));
    const [half = new Uint8Array(0)] = network.house(1).up;
    network.deliver(1, 'up');
    network.aggregate({ kind: 'frame', member: 1, frame: half });
    assert.deepEqual(network.excluded, []);
    network.say(1, { kind: 'answer', shares: [] });
    network.putOut(1, 'answered-twice');
  });

  test('shares that are dealt wrong: the neighbour says so, and the sum is made with the others', () => {
    const network = AttackedNetwork.until('shares', 1, 6);
    const context = network.aggregator.roster?.context ?? new Uint8Array(0);
    network.forge('shares', 1, (body) => {
      const dealing = { seedCommitment: body.seedCommitment, dealt: flipped(body.dealt, 0) };
      return { kind: 'shares', ...dealing, signature: signDealing(context, dealing, identityOf('1')) };
    });
    goOn(network, 1);
    assert.deepEqual(network.excluded, []);
    assert.deepEqual(network.outcome?.sum, network.expectedSum());
    assert.equal(network.outcome?.included.length, 6);
  });

  test('shares that open their commitments and are of no one seed: the dealer is named and no sum is made', () => {
    const network = AttackedNetwork.until('answer', 0);
    // The dealer colludes with the holder: commitments to shares that lead elsewhere.
    const { dealings } = network.aggregator;
    const dealing = dealings.get(1);
    assert.ok(dealing !== undefined);
    const other = { index: 1, value: new Secret(seededRng('value').bytes(32)), salt: seededRng('salt').bytes(32) };
    const dealt = Uint8Array.from(dealing.dealt);
    dealtTo(dealt, 1).set(commitmentOf(other), DEALT_BYTES - 64);
    dealings.set(1, { ...dealing, dealt });
    network.forge('answer', 0, ({ shares }) => ({
      kind: 'answer',
      shares: shares.map((share) => (share.place === 1 ? { place: 1, bytes: encodeShare(other) } : share)),
    }));
    network.deliver(0, 'up');
    network.run();
    assert.equal(network.code, 'bad-dealer');
    assert.equal(network.outcome, undefined);
    assert.equal(decodeShare(encodeShare(other)).index, 1);
  });

  test('a forged signature: of keys, of what was dealt, of the survivors', () => {
    const keys = AttackedNetwork.until('keys', 1);
    keys.forge('keys', 1, ({ statement }) => ({ kind: 'keys', statement: flipped(statement, 40) }));
    goOn(keys, 1);
    keys.putOut(1, 'forged-signature');
    assert.deepEqual(keys.outcome?.included, [0, 2, 3]);
    assert.deepEqual(keys.outcome?.sum, keys.expectedSum());

    const shares = AttackedNetwork.until('shares', 1);
    shares.forge('shares', 1, (body) => ({ ...body, dealt: flipped(body.dealt, 3) }));
    goOn(shares, 1);
    shares.putOut(1, 'forged-signature');
    assert.deepEqual(shares.outcome?.sum, shares.expectedSum());

    const consent = AttackedNetwork.until('consent', 1);
    consent.forge('consent', 1, ({ signature }) => ({ kind: 'consent', signature: flipped(signature, 3) }));
    goOn(consent, 1);
    consent.putOut(1, 'forged-signature');
    assert.deepEqual(consent.outcome?.sum, consent.expectedSum());
  });

  test('keys of another member, of another model, and a second time', () => {
    const other = AttackedNetwork.until('keys', 1);
    other.deliver(2, 'up');
    other.forge('keys', 1, () => ({ kind: 'keys', statement: openKeys(other, 2) }));
    goOn(other, 1);
    other.putOut(1, 'sybil-roster');

    const model = AttackedNetwork.until('keys', 1);
    const round = { ...model.round, digest: seededRng('digest').bytes(32) };
    model.forge('keys', 1, (body) => ({
      kind: 'keys',
      statement: signStatement(round, openStatement(model.round, 0, body.statement), identityOf('1')),
    }));
    goOn(model, 1);
    model.putOut(1, 'inconsistent-model');

    const smallOrder = AttackedNetwork.until('keys', 1);
    smallOrder.forge('keys', 1, (body) => ({
      kind: 'keys',
      statement: signStatement(
        smallOrder.round,
        { ...openStatement(smallOrder.round, 0, body.statement), shareKey: new Uint8Array(32) },
        identityOf('1'),
      ),
    }));
    goOn(smallOrder, 1);
    smallOrder.putOut(1, 'malformed-frame');
    assert.deepEqual(smallOrder.outcome?.included, [0, 2, 3]);

    const again = AttackedNetwork.until('keys', 1);
    again.deliver(1, 'up');
    const first = openStatement(again.round, 0, openKeys(again, 1));
    const second = { ...first, maskKey: seededRng('second').bytes(32) };
    again.say(1, { kind: 'keys', statement: signStatement(again.round, second, identityOf('1')) });
    again.putOut(1, 'answered-twice');
  });

  test('a vector with a piece too many, one too long, one too short, spare bits that are set', () => {
    const size = { width: ringWidth(9), length: 7 };
    for (const [index, bytes, code] of [
      [1, new Uint8Array(1), 'oversized-vector'],
      [0, new Uint8Array(9), 'oversized-vector'],
      [0, new Uint8Array(7), 'malformed-frame'],
      [0, new Uint8Array(8).fill(255), 'malformed-frame'],
    ] as const) {
      const network = AttackedNetwork.until('chunk', 1, 4, size);
      network.forge('chunk', 1, () => ({ kind: 'chunk', index, bytes }));
      goOn(network, 1);
      network.putOut(1, code);
      assert.deepEqual(network.outcome?.included, [0, 2, 3]);
      assert.deepEqual(network.outcome?.sum, network.expectedSum());
    }
  });

  test('a frame of another round, or of no known form', () => {
    const replayed = AttackedNetwork.until('consent', 1);
    replayed.aggregate({
      kind: 'frame',
      member: 1,
      frame: encodeFrame({ round: 0, attempt: 0, body: { kind: 'ready' } }),
    });
    replayed.putOut(1, 'replayed-round');
    const malformed = AttackedNetwork.until('consent', 1);
    malformed.aggregate({ kind: 'frame', member: 1, frame: Uint8Array.of(99, 0, 0) });
    malformed.putOut(1, 'malformed-frame');
  });

  test('one that withholds its part of the beacon is left out and the graph is drawn anew', () => {
    const network = AttackedNetwork.until('reveal', 1, 52, { corrupt: 0, dropout: 0.02 });
    network.drop(1);
    network.run();
    network.putOut(1, 'left-behind');
    assert.equal(network.aggregator.attempt, 1);
    assert.equal(network.outcome?.included.length, 51);
    assert.deepEqual(network.outcome?.sum, network.expectedSum());
  });
});

function openKeys(network: AttackedNetwork, member: number): Uint8Array {
  return network.aggregator.statements.get(member)?.bytes ?? new Uint8Array(0);
}
