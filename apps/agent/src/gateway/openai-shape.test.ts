import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { checkShape, isShaped } from './openai-shape.ts';

const CHAT = '/v1/chat/completions';
const check = (path: string, value: unknown) => checkShape(path, Buffer.from(JSON.stringify(value)));

describe('shapes of OpenAI requests', () => {
  it('let through what the reference shows, with fields that this release does not know', () => {
    const messages = [
      { role: 'system', content: 'be brief' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'hi' },
          { type: 'image_url', image_url: { url: 'data:' } },
        ],
      },
      { role: 'assistant', content: null, tool_calls: [{ id: 'a', type: 'function' }] },
    ];
    assert.ok(
      check(CHAT, { model: 'm', messages, stream: true, stream_options: { include_usage: true }, top_k: 5 }).allow,
    );
    assert.ok(check('/v1/completions', { model: 'm', prompt: ['a', 'b'], max_tokens: 5 }).allow);
    assert.ok(check('/v1/embeddings', { model: 'm', input: [1, 2, 3] }).allow);
    assert.ok(check('/v1/rerank', 'anything').allow);
    assert.ok(!isShaped('/v1/rerank'));
  });

  it('name the field that is wrong and never its value', () => {
    const refusal = (param: string | null) => ({ allow: false, reasons: ['shape'], param });
    assert.deepEqual(check(CHAT, { model: 'm' }), refusal('messages'));
    assert.deepEqual(check(CHAT, { model: 'm', messages: [] }), refusal('messages'));
    assert.deepEqual(check(CHAT, { model: 'm', messages: [{ role: 'evil' }] }), refusal('messages.0.role'));
    assert.deepEqual(check(CHAT, { model: '', messages: [{ role: 'user' }] }), refusal('model'));
    assert.deepEqual(check('/v1/completions', { model: 'm', prompt: 5 }), refusal('prompt'));
    assert.deepEqual(check('/v1/embeddings', [1]), refusal(null));
    const broken = checkShape(CHAT, Buffer.from('{"model":'));
    assert.deepEqual(broken, { allow: false, reasons: ['not-json'], param: null });
  });

  it('do not throw on whatever comes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (body) => !checkShape(CHAT, body).allow),
      { numRuns: 100_000 },
    );
  });
});
