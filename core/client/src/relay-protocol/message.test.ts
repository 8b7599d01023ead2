import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { seededRng, toBase64Url, utf8 } from '@ringfence/base';
import { MAX_RELAY_MESSAGE, newRelayChallenge, parseListenProof, parseRelayMessage } from './message.ts';
import { newRelayTicket } from './ticket.ts';

/** `npm test` takes a tenth of them. */
const CASES = process.env['RINGFENCE_TEST_FULL'] === '1' ? 100_000 : 10_000;

const SEED = 'relay-message-1';
// Building a stack for each of some hundred thousand refusals would be most of the run.
Error.stackTraceLimit = 0;
const rng = seededRng('relay-message');
const bytes = (value: unknown): Uint8Array => utf8(JSON.stringify(value));

const CHALLENGE = { type: 'challenge', challenge: newRelayChallenge(rng) };
const INCOMING = { type: 'incoming', ticket: newRelayTicket(rng) };
const LISTENING = { type: 'listening' };
const PROOF = { type: 'proof', public_key: toBase64Url(rng.bytes(32)), signature: toBase64Url(rng.bytes(64)) };

test('each message is read back as it was written', () => {
  for (const message of [CHALLENGE, INCOMING, LISTENING]) assert.deepEqual(parseRelayMessage(bytes(message)), message);
  assert.deepEqual(parseListenProof(bytes(PROOF)), PROOF);
});

test('anything else is refused', () => {
  const wrong = [
    { ...CHALLENGE, extra: 1 },
    { ...CHALLENGE, challenge: `${CHALLENGE.challenge}A` },
    { ...CHALLENGE, challenge: CHALLENGE.challenge.slice(1) },
    { ...INCOMING, ticket: `${INCOMING.ticket}=` },
    { ...INCOMING, ticket: 7 },
    { type: 'replaced' },
    PROOF,
    [CHALLENGE],
    null,
    'challenge',
  ];
  for (const value of wrong) assert.equal(parseRelayMessage(bytes(value)), undefined, JSON.stringify(value));
  const wrongProofs = [
    { ...PROOF, extra: 1 },
    { ...PROOF, public_key: PROOF.public_key.slice(1) },
    { ...PROOF, signature: PROOF.public_key },
    { ...PROOF, type: 'challenge' },
    CHALLENGE,
  ];
  for (const value of wrongProofs) assert.equal(parseListenProof(bytes(value)), undefined, JSON.stringify(value));
  const padded = utf8(JSON.stringify(LISTENING).padEnd(MAX_RELAY_MESSAGE + 1));
  assert.equal(parseRelayMessage(padded), undefined);
  assert.deepEqual(parseRelayMessage(padded.subarray(1 - 1, MAX_RELAY_MESSAGE)), LISTENING);
});

test(`broken messages are refused or say the same thing, and nothing throws (seed ${SEED})`, () => {
  const messages = [CHALLENGE, INCOMING, LISTENING, PROOF].map(bytes);
  const random = seededRng(SEED);
  for (let round = 0; round < CASES; round += 1) {
    const [which = 0, cut = 0, at = 0, value = 0, tail = 0] = random.bytes(5);
    const message = messages[which % messages.length] ?? new Uint8Array();
    const kept = cut < 128 ? message.length : cut % (message.length + 1);
    const changed = Buffer.concat([message.subarray(0, kept), message.subarray(0, tail < 200 ? 0 : tail % 8)]);
    if (changed.length > 0) changed[at % changed.length] = value;
    for (const parsed of [parseRelayMessage(changed), parseListenProof(changed)])
      if (parsed !== undefined) assert.deepEqual(JSON.parse(changed.toString()), parsed, `round ${round}`);
  }
});

test('values of any shape are refused unless they are a message', () => {
  const shape = fc.record(
    {
      type: fc.constantFrom('challenge', 'incoming', 'listening', 'proof', 'x'),
      challenge: fc.anything(),
      ticket: fc.anything(),
    },
    { requiredKeys: ['type'] },
  );
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), shape), (value) => {
      const text = JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? String(part) : part));
      const parsed = parseRelayMessage(utf8(text));
      if (parsed !== undefined) assert.equal(parsed.type, (value as { type: string }).type);
      if (parsed?.type === 'listening') assert.equal(text, '{"type":"listening"}');
    }),
    { numRuns: 3_000 },
  );
});
