import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { durationMs, seededRng } from '@ringfence/base';
import { newRelayChallenge, newRelayTicket } from '../relay-protocol/index.ts';
import { LISTENER_START, stepListener, type ListenerEvent, type ListenerState } from './listener-state.ts';

const rng = seededRng('listener-state');
const challenge = newRelayChallenge(rng);
const ticket = newRelayTicket(rng);
const OPENED: ListenerEvent = { type: 'opened' };
const DUE: ListenerEvent = { type: 'due' };
const CHALLENGE: ListenerEvent = { type: 'message', message: { type: 'challenge', challenge } };
const LISTENING: ListenerEvent = { type: 'message', message: { type: 'listening' } };
const INCOMING: ListenerEvent = { type: 'message', message: { type: 'incoming', ticket } };
const LOST: ListenerEvent = { type: 'lost', firstDelay: durationMs(1_000) };

function run(...events: ListenerEvent[]): { state: ListenerState; commands: string[][] } {
  let state = LISTENER_START;
  const commands = events.map((event) => {
    const step = stepListener(state, event);
    state = step.state;
    return step.commands.map((command) => (command.type === 'wait' ? `wait ${command.delay}` : command.type));
  });
  return { state, commands };
}

test('proves, listens, takes calls', () => {
  const { state, commands } = run(OPENED, CHALLENGE, LISTENING, INCOMING, INCOMING);
  assert.deepEqual(state, { phase: 'listening' });
  assert.deepEqual(commands, [[], ['prove'], [], ['accept'], ['accept']]);
});

test('waits longer after each failure, and starts over after it listened', () => {
  const failures = Array.from({ length: 8 }, () => [LOST, DUE]).flat();
  const { commands } = run(...failures, OPENED, CHALLENGE, LOST, DUE, OPENED, CHALLENGE, LISTENING, LOST);
  const waits = commands.flat().filter((command) => command.startsWith('wait'));
  const seconds = [1, 2, 4, 8, 16, 32, 60, 60, 60, 1];
  assert.deepEqual(
    waits,
    seconds.map((length) => `wait ${length * 1_000}`),
  );
});

test('a listener that is replaced never comes back', () => {
  const replaced: ListenerEvent = { type: 'lost', reason: 'replaced', firstDelay: durationMs(1) };
  const { state, commands } = run(OPENED, CHALLENGE, LISTENING, replaced, DUE, OPENED, CHALLENGE, INCOMING, LOST);
  assert.deepEqual(state, { phase: 'ended', reason: 'replaced' });
  assert.deepEqual(commands.slice(4).flat(), []);
});

test('a message out of place drops the connection', () => {
  const nonsense: ListenerEvent = { type: 'message', message: undefined };
  for (const events of [
    [OPENED, LISTENING],
    [OPENED, INCOMING],
    [OPENED, nonsense],
    [OPENED, CHALLENGE, CHALLENGE],
    [OPENED, CHALLENGE, INCOMING],
    [OPENED, CHALLENGE, LISTENING, CHALLENGE],
    [OPENED, CHALLENGE, LISTENING, LISTENING],
    [OPENED, CHALLENGE, LISTENING, nonsense],
  ])
    assert.deepEqual(run(...events).commands.at(-1), ['drop']);
});

test('in any order of events it proves once a connection, takes calls only while it listens, and ends for good', () => {
  const any = fc.constantFrom(OPENED, CHALLENGE, LISTENING, INCOMING, LOST, DUE, { type: 'close' } as const);
  fc.assert(
    fc.property(fc.array(any, { maxLength: 40 }), (events) => {
      let state = LISTENER_START;
      let proofs = 0;
      for (const event of events) {
        const step = stepListener(state, event);
        for (const { type } of step.commands) {
          if (type === 'accept') assert.equal(state.phase, 'listening');
          if (type === 'connect') proofs = 0;
          if (type === 'prove') assert.equal((proofs += 1), 1);
        }
        if (state.phase === 'ended') assert.deepEqual(step, { state, commands: [] });
        state = step.state;
      }
    }),
    { numRuns: 2_000 },
  );
});
