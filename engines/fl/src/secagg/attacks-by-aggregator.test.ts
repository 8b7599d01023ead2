import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Secret, seededRng, utf8 } from '@ringfence/base';
import { sha256Hex } from '@ringfence/crypto/sign';
import { AGGREGATOR, AttackedNetwork } from './attack.fixture.ts';
import { resumeClient, startClient, stepClient } from './client.ts';
import { decodeFrame, encodeFrame, STATEMENT_BYTES } from './frames.ts';
import { leafOf, openLog, signRoster } from './key-log.ts';
import { openStatement, signStatement } from './key-statement.ts';
import { encodeSet } from './member-set.ts';
import { identityOf, SampleNetwork, sampleRound } from './network.fixture.ts';
import { degreeOf } from './degree.ts';
import { openRound } from './round.ts';
import { signConsent } from './survivors.ts';

const portsOf = (member: number) => ({ identity: identityOf(String(member)), rng: seededRng(`ports ${member}`) });

describe('an aggregator that lies is refused by name', () => {
  test('one client on both lists of the unmasking', () => {
    const network = AttackedNetwork.until('survivors', 1);
    network.forge('survivors', 1, (body) => ({ ...body, dropped: encodeSet([2], 4) }));
    network.deliver(1, 'down');
    network.refusedBy(1, 'both-lists');
  });

  test('survivors that a client knows to be others: one who dealt is on no list, one is itself', () => {
    for (const alive of [
      [0, 1, 2],
      [0, 2, 3],
    ]) {
      const network = AttackedNetwork.until('survivors', 1);
      network.forge('survivors', 1, () => ({
        kind: 'survivors',
        alive: encodeSet(alive, 4),
        dropped: encodeSet([], 4),
      }));
      network.deliver(1, 'down');
      network.refusedBy(1, 'split-view');
    }
  });

  test('survivors of whom each is told another story: nobody finds enough signatures of its own', () => {
    const network = AttackedNetwork.until('survivors', 1, 5);
    // Client 1 is told that client 0 dropped out; the others that it did not.
    network.forge('survivors', 1, () => ({
      kind: 'survivors',
      alive: encodeSet([1, 2, 3, 4], 5),
      dropped: encodeSet([0], 5),
    }));
    network.deliver(1, 'down');
    network.house(1).up.length = 0;
    network.runUntil('unmask', 2);
    const signatures = [2, 3, 4].map((place) => ({
      place,
      bytes: network.aggregator.consents.get(place) ?? new Uint8Array(64),
    }));
    network.tell(1, { kind: 'unmask', signatures });
    network.refusedBy(1, 'forged-signature');
  });

  test('too few signatures of the survivors, one counted twice, one of a stranger', () => {
    const few = AttackedNetwork.until('unmask', 1);
    few.forge('unmask', 1, (body) => ({ ...body, signatures: body.signatures.slice(1) }));
    few.deliver(1, 'down');
    few.refusedBy(1, 'too-few-signatures');

    const twice = AttackedNetwork.until('unmask', 1);
    twice.forge('unmask', 1, ({ signatures: [first] }) => {
      return { kind: 'unmask', signatures: first === undefined ? [] : [first, first] };
    });
    twice.deliver(1, 'down');
    twice.refusedBy(1, 'forged-signature');

    const stranger = AttackedNetwork.until('unmask', 1);
    const { sets, roster } = stranger.aggregator;
    assert.ok(sets !== undefined && roster !== undefined);
    stranger.forge('unmask', 1, (body) => ({
      ...body,
      signatures: body.signatures.map(({ place }) => ({ place, bytes: signConsent(roster.context, sets, AGGREGATOR) })),
    }));
    stranger.deliver(1, 'down');
    stranger.refusedBy(1, 'forged-signature');
  });

  test('a key in the place of another: one the member signed itself, and one that it did not', () => {
    const forged = AttackedNetwork.until('peers', 1);
    forged.forge('peers', 1, ({ statements }) => {
      const [first = new Uint8Array(STATEMENT_BYTES), ...rest] = statements;
      const swapped = Uint8Array.from(first);
      // Inside the mask key.
      swapped[40] = (swapped[40] ?? 0) ^ 1;
      return { kind: 'peers', statements: [swapped, ...rest] };
    });
    forged.deliver(1, 'down');
    forged.refusedBy(1, 'forged-signature');

    // A colluding member signs two pairs of keys; the log holds one of them.
    const second = AttackedNetwork.until('peers', 1);
    const other = {
      attempt: 0,
      member: 0,
      maskKey: seededRng('mask').bytes(32),
      shareKey: seededRng('share').bytes(32),
      beaconCommitment: seededRng('beacon').bytes(32),
    };
    second.forge('peers', 1, ({ statements }) => ({
      kind: 'peers',
      statements: [signStatement(second.round, other, identityOf('0')), ...statements.slice(1)],
    }));
    second.deliver(1, 'down');
    second.refusedBy(1, 'other-key');
  });

  test("a log that holds another key than the client's own", () => {
    const network = AttackedNetwork.until('roster', 1);
    const statements = [...network.aggregator.statements.values()];
    const leaves = statements.map(({ bytes, keys }) =>
      leafOf(keys.member, keys.beaconCommitment, keys.member === 1 ? seededRng('other').bytes(STATEMENT_BYTES) : bytes),
    );
    const log = openLog(leaves);
    network.forge('roster', 1, ({ members }) => ({
      kind: 'roster',
      members,
      root: log.root,
      proof: log.prove(1),
      signature: signRoster(network.round, { attempt: 0, members, root: log.root }, AGGREGATOR),
    }));
    network.deliver(1, 'down');
    network.refusedBy(1, 'other-key');
  });

  test('a roster that the aggregator of the contract did not sign', () => {
    const network = AttackedNetwork.until('roster', 1);
    network.forge('roster', 1, (body) => ({
      ...body,
      signature: signRoster(network.round, { attempt: 0, members: body.members, root: body.root }, identityOf('2')),
    }));
    network.deliver(1, 'down');
    network.refusedBy(1, 'forged-signature');
  });

  test('another model for one of the clients: its keys do not pass, and its masks would not cancel', () => {
    const network = AttackedNetwork.until('peers', 1);
    const other = openRound({ ...network.round, model: sha256Hex(utf8('another model')) });
    network.forge('peers', 1, ({ statements }) => ({
      kind: 'peers',
      statements: statements.map((statement) => {
        const keys = openStatement(network.round, 0, statement);
        return keys.member === 2 ? signStatement(other, keys, identityOf('2')) : statement;
      }),
    }));
    network.deliver(1, 'down');
    network.refusedBy(1, 'inconsistent-model');
  });

  test('a round that is replayed: as a whole, and frame by frame', () => {
    const network = new SampleNetwork(sampleRound(4), 'replayed');
    for (const member of network.houses.keys()) network.begin(member);
    network.run();
    const { sequence } = network.house(1);
    assert.throws(() => startClient({ round: network.round, member: 1, sequence }, portsOf(1)), {
      code: 'replayed-round',
    });

    const next = AttackedNetwork.until('survivors', 1, 4, { round: 2 });
    const [survivors = new Uint8Array(0)] = next.house(1).down;
    const old = encodeFrame({ ...decodeFrame(survivors), round: 1 });
    next.client(1, { kind: 'frame', frame: old });
    next.refusedBy(1, 'replayed-round');
  });

  test('a roster of made-up clients: not in the contract, twice the same member, too few organisations', () => {
    const stranger = AttackedNetwork.until('peers', 1);
    stranger.forge('peers', 1, ({ statements: [first = new Uint8Array(0), ...rest] }) => {
      const keys = { ...openStatement(stranger.round, 0, first), member: 0 };
      return { kind: 'peers', statements: [signStatement(stranger.round, keys, AGGREGATOR), ...rest] };
    });
    stranger.deliver(1, 'down');
    stranger.refusedBy(1, 'forged-signature');

    const twice = AttackedNetwork.until('peers', 1);
    twice.forge('peers', 1, ({ statements: [first = new Uint8Array(0), ...rest] }) => {
      return { kind: 'peers', statements: [first, first, ...rest.slice(1)] };
    });
    twice.deliver(1, 'down');
    twice.refusedBy(1, 'sybil-roster');

    const contract = sampleRound(4);
    const [first] = contract.members;
    assert.ok(first !== undefined);
    assert.throws(() => openRound({ ...contract, members: [...contract.members, first] }), { code: 'sybil-roster' });
    assert.throws(() => openRound({ ...contract, leastUnits: 2 }), { code: 'too-few-organisations' });
  });

  test('members of the aggregator’s own organisation are taken for colluders, on whatever roster', () => {
    const { members } = sampleRound(13);
    const own = (count: number) => members.map((member, at) => (at < count ? { ...member, unit: 'host' } : member));
    const hosted = (count: number, corrupt: number) => () =>
      sampleRound(13, { members: own(count), aggregatorUnit: 'host', corrupt });
    for (const [count, corrupt] of [
      [10, 0.1],
      [2, 0.1],
      [6, 0.46],
      [7, 0.49],
    ] as const)
      assert.throws(hosted(count, corrupt), { code: 'bad-parameters' }, `${count} of 13 with ${corrupt}`);
    for (const [count, corrupt] of [
      [0, 0],
      [1, 0.1],
      [4, 0.31],
      [5, 0.49],
    ] as const) {
      const round = hosted(count, corrupt)();
      for (let clients = 3 + count; clients <= 13; clients += 1) {
        const { neighbours, threshold } = degreeOf(round, clients);
        assert.ok(2 * threshold > neighbours + count, `two stories by ${count} of ${clients}`);
      }
    }
  });

  test('a roster, and survivors, of too few organisations; the own one of the aggregator does not count', () => {
    const members = [0, 1, 2, 3].map((at) => ({
      identity: identityOf(String(at)).publicKey,
      unit: `organisation ${Math.min(at, 2)}`,
    }));
    // Whoever comes covers three organisations, one of which runs the aggregator: the aggregator lies about that to itself.
    const lax = sampleRound(4, { members, corrupt: 0.25 });
    const network = new AttackedNetwork(lax, 'units');
    for (const member of network.houses.keys()) network.begin(member);
    const strict = openRound({ ...lax, aggregatorUnit: 'organisation 0' });
    const started = startClient({ round: strict, member: 1, sequence: -1 }, portsOf(1));
    const set = encodeSet([0, 1, 2, 3], 4);
    const own = openStatement(strict, 0, statementOf(started.commands));
    const log = openLog(
      [0, 1, 2, 3].map((member) => leafOf(member, own.beaconCommitment, statementOf(started.commands))),
    );
    const body = {
      kind: 'roster' as const,
      members: set,
      root: log.root,
      proof: log.prove(1),
      signature: signRoster(strict, { attempt: 0, members: set, root: log.root }, AGGREGATOR),
    };
    const frame = encodeFrame({ round: 1, attempt: 0, body });
    const { commands } = stepClient(started.state, { kind: 'frame', frame }, portsOf(1));
    assert.deepEqual(commands.at(-1), { kind: 'aborted', code: 'too-few-organisations' });

    // Four came, one organisation's vector is left out.
    const dropped = AttackedNetwork.until('survivors', 1, 5, {
      members: [...members, { identity: identityOf('4').publicKey, unit: 'organisation 2' }],
    });
    dropped.forge('survivors', 1, () => ({
      kind: 'survivors',
      alive: encodeSet([1, 2, 3, 4], 5),
      dropped: encodeSet([0], 5),
    }));
    dropped.deliver(1, 'down');
    dropped.refusedBy(1, 'too-few-organisations');
  });

  test('an aggregator that asks twice: for other survivors, and for another unmasking', () => {
    const network = AttackedNetwork.until('unmask', 1);
    const [unmask = new Uint8Array(0)] = network.house(1).down;
    network.deliver(1, 'down');
    const [answer] = network.sentBy(1, 'answer');
    // The same question has the same answer: it may have been lost.
    network.client(1, { kind: 'frame', frame: unmask });
    assert.deepEqual(network.sentBy(1, 'answer'), [answer, answer]);
    network.tell(1, { kind: 'survivors', alive: encodeSet([1, 2, 3], 4), dropped: encodeSet([0], 4) });
    assert.equal(network.house(1).code, 'asked-twice');
    assert.deepEqual(network.sentBy(1, 'answer'), [answer, answer]);

    const early = AttackedNetwork.until('unmask', 1);
    early.tell(1, { kind: 'survivors', alive: encodeSet([1, 2, 3], 4), dropped: encodeSet([0], 4) });
    early.refusedBy(1, 'asked-twice');
  });

  test('a client that was restarted from an old disk answers nothing', () => {
    const network = AttackedNetwork.until('unmask', 1);
    const house = network.house(1);
    const old = Uint8Array.from(house.stored ?? new Uint8Array(0));
    network.deliver(1, 'down');
    assert.equal(network.sentBy(1, 'answer').length, 1);
    const { round } = network;
    // What was stored last goes on; what was stored before it is refused, for it could be asked anew.
    const newest = new Secret(Uint8Array.from(house.stored ?? new Uint8Array(0)));
    assert.equal(resumeClient({ round, member: 1, sequence: house.sequence }, newest).state.phase, 'done');
    assert.throws(() => resumeClient({ round, member: 1, sequence: house.sequence }, new Secret(old)), {
      code: 'stale-state',
    });
  });

  test('another vector under the same masks after a restart', () => {
    const network = AttackedNetwork.until('upload', 1);
    const house = network.house(1);
    const saved = new Secret(Uint8Array.from(house.stored ?? new Uint8Array(0)));
    const { state } = resumeClient({ round: network.round, member: 1, sequence: house.sequence }, saved);
    const vector = Uint32Array.from(house.vector, (value, at) => (at === 0 ? value ^ 1 : value));
    const { commands } = stepClient(state, { kind: 'input', vector }, portsOf(1));
    assert.deepEqual(commands.at(-1), { kind: 'aborted', code: 'other-vector' });
  });

  test('a roster of fewer than the contract asks for, or without the client', () => {
    for (const [alive, code] of [
      [[1, 2], 'too-few-survivors'],
      [[0, 2, 3], 'not-on-roster'],
    ] as const) {
      const network = AttackedNetwork.until('roster', 1);
      const members = encodeSet(alive, 4);
      network.forge('roster', 1, (body) => ({
        ...body,
        members,
        signature: signRoster(network.round, { attempt: 0, members, root: body.root }, AGGREGATOR),
      }));
      network.deliver(1, 'down');
      network.refusedBy(1, code);
    }
  });
});

function statementOf(commands: ReturnType<typeof startClient>['commands']): Uint8Array {
  for (const command of commands) {
    if (command.kind !== 'send') continue;
    const { body } = decodeFrame(command.frame);
    if (body.kind === 'keys') return body.statement;
  }
  throw new Error('no keys were sent');
}
