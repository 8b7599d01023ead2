import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readWebhooks } from './webhook-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'ringfence-webhooks-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'webhooks.json');

function write(entries: unknown, secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`, mode = 0o600): void {
  writeFileSync(path, JSON.stringify(entries));
  rmSync(join(folder, 'secret'), { force: true });
  writeFileSync(join(folder, 'secret'), `${secret}\n`, { mode });
}

test('reads places with their secrets, by paths of its own folder', () => {
  write([{ url: 'https://hooks.example/a?b=c', secretFile: 'secret', names: true }]);
  const [hook, ...more] = readWebhooks(path);
  assert.equal(more.length, 0);
  assert.equal(hook?.url, 'https://hooks.example/a?b=c');
  assert.equal(hook?.names, true);
  assert.equal(Buffer.from(hook?.secret.expose() ?? []).toString('hex'), '07'.repeat(32));
  assert.deepEqual(readWebhooks(undefined), []);
});

test('refuses anything but HTTPS, passwords in URLs, weak or open secrets, and unknown words, without a value in the message', () => {
  const good = { url: 'https://hooks.example/', secretFile: 'secret' };
  const refused: [() => void, RegExp][] = [
    [() => write([{ ...good, url: 'http://hooks.example/' }]), /not a list of webhooks/],
    [() => write([{ ...good, url: 'https://me:hunter2@hooks.example/' }]), /not a list of webhooks/],
    [() => write([{ ...good, header: 'x' }]), /not a list of webhooks/],
    [() => write({ ...good }), /not a list of webhooks/],
    [() => write([good], 'hunter2'), /not whsec_/],
    [() => write([good], `whsec_${Buffer.alloc(8).toString('base64')}`), /not whsec_/],
    [() => write([good], undefined, 0o644), /read by others/],
    [() => write([{ ...good, secretFile: 'none' }]), /cannot be read/],
  ];
  for (const [prepare, message] of refused) {
    prepare();
    assert.throws(
      () => readWebhooks(path),
      (error: Error) => message.test(error.message) && !error.message.includes('hunter2'),
    );
  }
});
