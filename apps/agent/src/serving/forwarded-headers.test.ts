import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toCaller, toReplica } from './forwarded-headers.ts';

describe('headers on their way to a replica', () => {
  it('lose what belongs to one connection, what connection lines name, and what callers say of themselves', () => {
    const raw = [
      ['Host', 'evil'],
      ['Accept', '*/*'],
      ['Authorization', 'Bearer rfe_x'],
      ['Connection', 'keep-alive, X-Secret, content-length'],
      ['X-Secret', 'of this hop'],
      ['Transfer-Encoding', 'chunked'],
      ['TE', 'trailers'],
      ['Upgrade', 'h2c'],
      ['Proxy-Authorization', 'x'],
      ['X-Forwarded-For', '10.0.0.1'],
      ['x_forwarded_host', 'evil'],
      ['Forwarded', 'for=1'],
      ['Content_Length', '3'],
      ['Content-Length', '4'],
      ['ringfence-refusal', 'draining'],
      ['X-Own', 'a'],
      ['X-Own', 'b'],
    ].flat();
    assert.deepEqual(toReplica(raw, '127.0.0.1:8000'), [
      'host',
      '127.0.0.1:8000',
      'Accept',
      '*/*',
      'Content-Length',
      '4',
      'X-Own',
      'a',
      'X-Own',
      'b',
    ]);
  });

  it('lose on their way back what belongs to one connection, and the word that only an agent may say', () => {
    const raw = ['Content-Type', 'text/plain', 'Connection', 'close, X-Hop', 'X-Hop', '1', 'Keep-Alive', 'timeout=5'];
    assert.deepEqual(toCaller([...raw, 'Ringfence-Refusal', 'draining', 'Set-Cookie', 'a', 'Set-Cookie', 'b']), [
      'Content-Type',
      'text/plain',
      'Set-Cookie',
      'a',
      'Set-Cookie',
      'b',
    ]);
    assert.deepEqual(toCaller([Buffer.from('X'), Buffer.from('caf\xe9', 'latin1')]), ['X', 'caf\xe9']);
  });
});
