import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { UsageMeter } from './openai-usage.ts';

const SSE = 'text/event-stream; charset=utf-8';
const usage = { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10, prompt_tokens_details: { cached_tokens: 0 } };
const events = [
  ...['a', 'b', 'c'].map((content) => ({ choices: [{ delta: { content } }], usage: null })),
  { choices: [], usage },
];
const stream = `${events.map((value) => `data: ${JSON.stringify(value)}\n\n`).join('')}data: [DONE]\n\n`;

function countOf(contentType: string, body: string, cuts: readonly number[] = []): object {
  const meter = new UsageMeter(contentType);
  const bytes = Buffer.from(body);
  let from = 0;
  for (const cut of [...cuts, bytes.length].map((at) => Math.min(at, bytes.length)).toSorted((a, b) => a - b)) {
    meter.take(bytes.subarray(from, cut));
    from = cut;
  }
  return meter.count();
}

describe('tokens of an answer', () => {
  it('are read from a stream wherever it is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length), { maxLength: 12 }), (cuts) => {
        assert.deepEqual(countOf(SSE, stream, cuts), { in: 7, out: 3 });
      }),
      { numRuns: 5_000 },
    );
  });

  it('are read from the end of a long JSON answer', () => {
    const body = JSON.stringify({ data: 'x'.repeat(100_000), text: '"usage": {"prompt_tokens": 9}', usage });
    assert.deepEqual(countOf('application/json', body, [5, 99_990, 100_050]), { in: 7, out: 3 });
    const nested = JSON.stringify({ choices: [{ usage: { prompt_tokens: 1, completion_tokens: 1 } }], usage });
    assert.deepEqual(countOf('application/json', nested), { in: 7, out: 3 });
    const embeddings = JSON.stringify({ data: [], usage: { prompt_tokens: 4, total_tokens: 4 } });
    assert.deepEqual(countOf('application/json', embeddings), { in: 4, out: 0 });
  });

  it('are one an event when a stream does not say', () => {
    const silent = 'data: {"choices":[]}\n\n: comment\n\ndata: {"choices":[]}\n\ndata: [DONE]\n\n';
    assert.deepEqual(countOf(SSE, silent), { in: 0, out: 2 });
  });

  it('cannot be forged by what a model writes, and nothing throws', () => {
    const text = JSON.stringify({ usage, choices: [{ text: '"usage":{"prompt_tokens":1,"completion_tokens":1}' }] });
    assert.deepEqual(countOf('application/json', text), { in: 7, out: 3 });
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), fc.boolean(), (body, asStream) => {
        countOf(asStream ? SSE : 'application/json', `data: {"usage":${body}`);
      }),
      { numRuns: 100_000 },
    );
  });
});
