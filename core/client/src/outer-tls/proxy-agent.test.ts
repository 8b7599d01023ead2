import assert from 'node:assert/strict';
import { test } from 'node:test';
import { proxyAgent } from './proxy-agent.ts';

test('takes http and https proxies, with and without credentials', () => {
  for (const url of ['http://proxy:3128', 'http://user:pa%20ss@proxy:3128/', 'https://proxy', 'http://[::1]:8080'])
    assert.equal(proxyAgent(url).proxy.href, new URL(url).href);
});

test('refuses anything else without repeating it', () => {
  const wrong = [
    '',
    'proxy:3128',
    'socks5://proxy',
    'http://',
    'http://p/secret',
    'http://p?secret',
    'http://u:%zzsecret@p',
  ];
  for (const url of wrong)
    assert.throws(
      () => proxyAgent(url),
      (error: { code: string; message: string }) => error.code === 'bad-url' && !error.message.includes('secret'),
      url,
    );
});
