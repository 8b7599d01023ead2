import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { seededRng, type MonotonicMs } from '@ringfence/base';
import {
  newRelayChallenge,
  newRelayTicket,
  proveListener,
  relayAddressOf,
  type RelayAddress,
  type RelayTicket,
} from '@ringfence/client/relay-protocol';
import { TlsKey } from '@ringfence/crypto/certificate';
import { DEFAULT_RELAY_LIMITS, type RelayLimits } from './limits.ts';
import { Switchboard, type Connection, type SwitchboardCommand } from './switchboard.ts';

const rng = seededRng('switchboard');
const HOST = 'relay.test:443';
const keys = [TlsKey.generate(rng), TlsKey.generate(rng)] as const;
const addresses = keys.map(({ publicKey }) => relayAddressOf(publicKey)) as [RelayAddress, RelayAddress];
const at = (milliseconds: number): MonotonicMs => milliseconds as MonotonicMs;
const brief = (commands: readonly SwitchboardCommand[]): string[] =>
  commands.map((command) => {
    if (command.type === 'join') return `join ${command.caller} ${command.taker}`;
    return `${command.to} ${command.type === 'send' ? command.message.type : command.reason}`;
  });

function listen(board: Switchboard, from: Connection, key: TlsKey = keys[0]): string[] {
  const occasion = { challenge: newRelayChallenge(rng), host: HOST };
  board.step({ type: 'listen', from, occasion, now: at(0) });
  return brief(board.step({ type: 'proof', from, proof: proveListener(key, occasion) }));
}

function dial(board: Switchboard, from: Connection, to: RelayAddress = addresses[0], now = 0) {
  const ticket = newRelayTicket(rng);
  return { ticket, did: brief(board.step({ type: 'dial', from, address: to, ticket, now: at(now) })) };
}

function accept(board: Switchboard, from: Connection, ticket: RelayTicket, now = 0): string[] {
  return brief(board.step({ type: 'accept', from, ticket, now: at(now) }));
}

test('a call is rung, taken and joined', () => {
  const board = new Switchboard(DEFAULT_RELAY_LIMITS);
  assert.deepEqual(listen(board, 1), ['1 listening']);
  const { ticket, did } = dial(board, 2);
  assert.deepEqual(did, ['1 incoming']);
  assert.deepEqual(board.counts, { listeners: 1, calls: 1, links: 0 });
  assert.deepEqual(accept(board, 3, ticket), ['join 2 3']);
  assert.deepEqual(board.counts, { listeners: 1, calls: 0, links: 1 });
  board.step({ type: 'gone', from: 2 });
  board.step({ type: 'gone', from: 3 });
  assert.deepEqual(board.counts, { listeners: 1, calls: 0, links: 0 });
});

test('a call to nobody is told so', () => {
  const board = new Switchboard(DEFAULT_RELAY_LIMITS);
  listen(board, 1);
  assert.deepEqual(dial(board, 2, addresses[1]).did, ['2 peer-offline']);
  board.step({ type: 'gone', from: 1 });
  assert.deepEqual(dial(board, 3).did, ['3 peer-offline']);
});

test('a ticket is good once, for ten seconds, and not if it was made up', () => {
  const board = new Switchboard(DEFAULT_RELAY_LIMITS);
  listen(board, 1);
  const first = dial(board, 2);
  assert.deepEqual(accept(board, 3, newRelayTicket(rng)), ['3 ticket-refused']);
  assert.deepEqual(accept(board, 4, first.ticket, 9_999), ['join 2 4']);
  assert.deepEqual(accept(board, 5, first.ticket, 9_999), ['5 ticket-refused']);
  const late = dial(board, 6);
  assert.deepEqual(accept(board, 7, late.ticket, 10_000), ['7 ticket-refused']);
  const given = dial(board, 8);
  board.step({ type: 'gone', from: 8 });
  assert.deepEqual(accept(board, 9, given.ticket), ['9 ticket-refused']);
});

test('who proves nothing, or the wrong thing, does not listen', () => {
  const board = new Switchboard(DEFAULT_RELAY_LIMITS);
  const occasion = { challenge: newRelayChallenge(rng), host: HOST };
  const elsewhere = { challenge: occasion.challenge, host: 'other.test:443' };
  const proofs = [
    proveListener(keys[0], elsewhere),
    { ...proveListener(keys[1], occasion), public_key: keys[0].publicKey },
  ];
  for (const [index, proof] of proofs.entries()) {
    board.step({ type: 'listen', from: index, occasion, now: at(0) });
    assert.deepEqual(brief(board.step({ type: 'proof', from: index, proof })), [`${index} proof-refused`]);
  }
  board.step({ type: 'listen', from: 7, occasion, now: at(0) });
  assert.deepEqual(brief(board.step({ type: 'proof', from: 7, proof: undefined })), ['7 bad-message']);
  board.step({ type: 'listen', from: 8, occasion, now: at(0) });
  assert.deepEqual(brief(board.step({ type: 'tick', now: at(9_999) })), []);
  assert.deepEqual(brief(board.step({ type: 'tick', now: at(10_000) })), ['8 proof-refused']);
  assert.deepEqual(dial(board, 9).did, ['9 peer-offline']);
});

test('a listener that says anything more is closed', () => {
  const board = new Switchboard(DEFAULT_RELAY_LIMITS);
  listen(board, 1);
  const again = proveListener(keys[0], { challenge: newRelayChallenge(rng), host: HOST });
  assert.deepEqual(brief(board.step({ type: 'proof', from: 1, proof: again })), ['1 bad-message']);
  assert.equal(board.counts.listeners, 0);
});

test('the newest listener replaces the older one, whose end then changes nothing', () => {
  const board = new Switchboard(DEFAULT_RELAY_LIMITS);
  listen(board, 1);
  assert.deepEqual(listen(board, 2), ['1 replaced', '2 listening']);
  board.step({ type: 'gone', from: 1 });
  assert.deepEqual(dial(board, 3).did, ['2 incoming']);
  listen(board, 4, keys[1]);
  assert.equal(board.counts.listeners, 2);
});

test('waiting calls learn that the listener left, or that nobody took them', () => {
  const board = new Switchboard(DEFAULT_RELAY_LIMITS);
  listen(board, 1);
  dial(board, 2);
  dial(board, 3);
  assert.deepEqual(brief(board.step({ type: 'gone', from: 1 })), ['2 peer-offline', '3 peer-offline']);
  listen(board, 4);
  dial(board, 5);
  assert.deepEqual(brief(board.step({ type: 'tick', now: at(10_000) })), ['5 no-answer']);
  assert.equal(board.counts.calls, 0);
});

test('limits count calls and links of an address and of all', () => {
  const limits: RelayLimits = { ...DEFAULT_RELAY_LIMITS, callsPerAddress: 2, linksPerAddress: 3, links: 4 };
  const board = new Switchboard(limits);
  listen(board, 1);
  listen(board, 2, keys[1]);
  for (const from of [10, 12]) accept(board, from + 1, dial(board, from).ticket);
  assert.deepEqual(dial(board, 20).did, ['1 incoming']);
  assert.deepEqual(dial(board, 21).did, ['21 peer-busy'], 'three links or calls');
  assert.deepEqual(dial(board, 22, addresses[1]).did, ['2 incoming']);
  assert.deepEqual(dial(board, 23, addresses[1]).did, ['23 too-many'], 'four links or calls in all');
  board.step({ type: 'gone', from: 20 });
  board.step({ type: 'gone', from: 10 });
  board.step({ type: 'gone', from: 11 });
  assert.deepEqual(dial(board, 24, addresses[1]).did, ['2 incoming']);
  assert.deepEqual(dial(board, 25, addresses[1]).did, ['25 peer-busy'], 'two waiting calls');
});

test('in any order of events nobody is joined twice or without a call, and no limit is passed', () => {
  const limits: RelayLimits = { ...DEFAULT_RELAY_LIMITS, callsPerAddress: 3, linksPerAddress: 4, links: 6 };
  const step = fc.record({
    act: fc.constantFrom('listen', 'dial', 'accept', 'gone', 'tick'),
    which: fc.nat(1),
    pick: fc.nat(30),
    wait: fc.nat(6_000),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      const board = new Switchboard(limits);
      const open = new Set<Connection>();
      const tickets: RelayTicket[] = [];
      const joined = new Set<Connection>();
      let [now, next] = [0, 0];
      for (const { act, which, pick, wait } of steps) {
        now += act === 'tick' ? wait : 0;
        const from = act === 'gone' ? ([...open][pick % Math.max(1, open.size)] ?? -1) : (next += 1);
        const commands: SwitchboardCommand[] = [];
        if (act === 'listen') {
          open.add(from);
          const occasion = { challenge: newRelayChallenge(rng), host: HOST };
          board.step({ type: 'listen', from, occasion, now: at(now) });
          commands.push(...board.step({ type: 'proof', from, proof: proveListener(keys[which as 0 | 1], occasion) }));
        } else if (act === 'dial') {
          open.add(from);
          const ticket = newRelayTicket(rng);
          tickets.push(ticket);
          commands.push(
            ...board.step({ type: 'dial', from, address: addresses[which as 0 | 1], ticket, now: at(now) }),
          );
        } else if (act === 'accept') {
          open.add(from);
          const ticket = tickets[pick % Math.max(1, tickets.length)] ?? newRelayTicket(rng);
          commands.push(...board.step({ type: 'accept', from, ticket, now: at(now) }));
        } else if (act === 'gone') {
          open.delete(from);
          commands.push(...board.step({ type: 'gone', from }));
        } else commands.push(...board.step({ type: 'tick', now: at(now) }));
        for (const command of commands) {
          if (command.type === 'join')
            for (const end of [command.caller, command.taker]) {
              assert.ok(open.has(end) && !joined.has(end), `${end} joined once`);
              joined.add(end);
            }
          else assert.ok(open.has(command.to), `${command.to} is there`);
          if (command.type === 'close') {
            assert.ok(!joined.has(command.to), 'a joined end is closed by its link alone');
            open.delete(command.to);
          }
        }
        const { listeners, calls, links } = board.counts;
        assert.ok(listeners <= 2 && calls <= 6 && calls + links <= 6);
      }
      for (const from of open) board.step({ type: 'gone', from });
      assert.deepEqual(board.counts, { listeners: 0, calls: 0, links: 0 });
    }),
    { numRuns: 400 },
  );
});
