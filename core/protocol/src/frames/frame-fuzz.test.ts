import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { canonicalBytes, equalBytes, seededRng } from '@ringfence/base';
import { cpuMs } from '@ringfence/base/cpu-time';
import { MESSAGES } from '../messages/index.ts';
import { decodeAccept, decodeOpen } from './handshake-frame.ts';
import { readInnerFrame, writeInnerFrame } from './inner-frame.ts';
import { linkPair } from './link-pair.fixture.ts';
import { messageOfNumber, readBody } from './message-body.ts';
import { sampleMessages } from './message-samples.fixture.ts';
import { fuzzSeed, fuzzStream, mutated } from './mutation.fixture.ts';
import { FRAME_REFUSALS } from './refusal.ts';
import { readSealedHeader } from './sealed-header.ts';

const CASES = process.env['RINGFENCE_TEST_FULL'] === '1' ? 100_000 : 10_000;
const CODES: ReadonlySet<string> = new Set(FRAME_REFUSALS);

/** Runs `parse` on {@link CASES} mutations of `seeds`; it returns what was accepted, never throws, and stays fast. */
function fuzz(
  t: TestContext,
  seeds: readonly Uint8Array[],
  parse: (bytes: Uint8Array) => { ok: boolean; code?: string },
): void {
  const seed = fuzzSeed();
  const next = fuzzStream(seed);
  let accepted = 0;
  let slowest = 0;
  for (let round = 0; round < CASES; round += 1) {
    const input = mutated(seeds[next(seeds.length)] ?? new Uint8Array(), next);
    const from = cpuMs();
    const result = parse(input);
    slowest = Math.max(slowest, cpuMs() - from);
    if (result.ok) accepted += 1;
    else assert.ok(CODES.has(result.code ?? ''), `code ${result.code}`);
  }
  t.diagnostic(`seed ${seed}: ${accepted} of ${CASES} accepted, slowest ${slowest.toFixed(1)} ms`);
  assert.ok(slowest < 500);
}

const pair = linkPair('fuzz');
const messages = sampleMessages(seededRng('fuzz'));

test('open frames', (t) => fuzz(t, [pair.open], decodeOpen));

test('accept frames', (t) => fuzz(t, [pair.accept], decodeAccept));

test('clear headers', (t) => {
  const frames = messages.filter(({ name }) => name === 'hello').map((hello) => pair.up.sender.seal(hello, 0).bytes);
  fuzz(t, frames, readSealedHeader);
});

test('whole sealed frames: nothing but the original opens', (t) => {
  const hello = messages.find(({ name }) => name === 'hello');
  assert.ok(hello !== undefined);
  const fresh = linkPair('fuzz sealed');
  const { bytes } = fresh.up.sender.seal(hello, 0);
  fuzz(t, [bytes], (input) => (equalBytes(input, bytes) ? { ok: false, code: 'tag' } : fresh.up.receiver.open(input)));
  assert.ok(fresh.up.receiver.open(bytes).ok, 'state is as before');
});

test('inner frames: what is accepted is written back to the same bytes', (t) => {
  const seeds = messages.map(({ name, body }) => {
    const inner = Buffer.alloc(600);
    const { number, signed, durable } = MESSAGES[name];
    const bytes = canonicalBytes(body).subarray(0, 400);
    writeInnerFrame({ number, signed, mid: durable ? 3 : 0, chain: pair.transcript, body: bytes }, inner);
    return inner;
  });
  fuzz(t, seeds, (input) => {
    const result = readInnerFrame(input);
    if (!result.ok) return result;
    const again = Buffer.alloc(input.length);
    writeInnerFrame(result, again);
    again.set(result.signature, result.unsigned.length);
    assert.ok(equalBytes(again, input));
    return result;
  });
});

test('bodies: what is accepted is written back to the same bytes', (t) => {
  const rows = Object.values(MESSAGES).map(({ number }) => number);
  const seeds = messages.map(({ body }) => canonicalBytes(body));
  const kinds = new Map(messages.map(({ name, body }) => [canonicalBytes(body).length, MESSAGES[name].number]));
  fuzz(t, seeds, (input) => {
    const named = messageOfNumber(kinds.get(input.length) ?? rows[input.length % rows.length] ?? 0);
    assert.ok(named !== undefined);
    const result = readBody(named, input);
    if (result.ok) assert.ok(equalBytes(canonicalBytes(result.message.body), input));
    return result;
  });
});
