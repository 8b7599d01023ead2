import assert from 'node:assert/strict';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { createServer, request, type IncomingMessage, type RequestOptions } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { inspect } from 'node:util';
import { systemClock } from '@ringfence/base/platform';
import { EgressCount } from './egress-count.ts';
import { EgressProxy } from './egress-proxy.ts';
import type { EgressSite } from './open-target.ts';
import { upstreamProxy } from './upstream-proxy.ts';

/** A site on which every name but one leads to this machine's loopback; it notes what was asked for. */
function siteHere(over: Partial<EgressSite> = {}): EgressSite & { readonly asked: string[] } {
  const asked: string[] = [];
  const resolve = (host: string): Promise<readonly string[]> => {
    asked.push(host);
    return Promise.resolve(host === 'absent.example' ? [] : ['127.0.0.1']);
  };
  return { allowLocal: new Set(), upstream: undefined, resolve, ownAddresses: () => [], asked, ...over };
}

interface Opened {
  readonly port: number;
  readonly count: EgressCount;
  readonly told: string[];
}

async function openProxy(t: TestContext, site: EgressSite, allow: readonly string[]): Promise<Opened> {
  const told: string[] = [];
  const count = new EgressCount((line) => told.push(line));
  const proxy = new EgressProxy({ allow: new Set(allow), site, count, clock: systemClock });
  t.after(() => proxy.close());
  return { port: Number(new URL(await proxy.listenOnLoopback()).port), count, told };
}

async function listen(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** A server that answers each connection with what it gets. */
async function echo(t: TestContext): Promise<number> {
  return listen(
    t,
    createTcpServer((socket) => socket.on('error', () => {}).pipe(socket)),
  );
}

/** Asks for a tunnel: its socket, or the status of the refusal. */
async function tunnel(options: RequestOptions, target: string): Promise<Socket | number> {
  const asked = request({ ...options, method: 'CONNECT', path: target, agent: false });
  asked.end();
  const [answer, socket] = (await once(asked, 'connect')) as [IncomingMessage, Socket];
  if (answer.statusCode === 200) return socket;
  socket.destroy();
  return answer.statusCode ?? 0;
}

async function get(port: number, url: string, headers: Record<string, string> = {}): Promise<[number, string]> {
  const asked = request({ host: '127.0.0.1', port, path: url, headers, agent: false });
  asked.end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  const parts: Buffer[] = [];
  for await (const part of answer) parts.push(part as Buffer);
  return [answer.statusCode ?? 0, Buffer.concat(parts).toString()];
}

async function answerOf(socket: Socket | number, text: string): Promise<string> {
  if (typeof socket === 'number') assert.fail(`refused with ${socket}`);
  socket.write(text);
  const [part] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return part.toString();
}

test('a tunnel goes where the list says, and nowhere else; a name outside the list is not even asked for', async (t) => {
  const target = await echo(t);
  const listed = `listed.example:${target}`;
  const site = siteHere({ allowLocal: new Set([listed, `other.example:${target}`]) });
  const { port, count, told } = await openProxy(t, site, [listed]);
  const via = { host: '127.0.0.1', port };
  assert.equal(await answerOf(await tunnel(via, listed), 'hello'), 'hello');
  assert.equal(await answerOf(await tunnel(via, listed.toUpperCase()), 'hello'), 'hello', 'names have no case');
  for (const other of [
    `other.example:${target}`,
    `secret-words.other.example:${target}`,
    `listed.example:${target - 1}`,
    `127.0.0.1:${target}`,
    `[::1]:${target}`,
    `listed.example.:${target}`,
  ])
    assert.equal(await tunnel(via, other), 403, other);
  assert.deepEqual([...new Set(site.asked)], ['listed.example']);
  assert.deepEqual(count.use, {
    opened: 2,
    refused: [
      { host: 'name', reason: 'not-listed', count: 4 },
      { host: 'ipv4', reason: 'not-listed', count: 1 },
      { host: 'ipv6', reason: 'not-listed', count: 1 },
    ],
  });
  assert.equal(told.length, 6);
  assert.match(told[0] ?? '', /^ringfence: no connection to other\.example:\d+: it is not in the list/);
});

test('a listed name that leads to this machine is refused unless its operator allowed that place', async (t) => {
  let reached = 0;
  const target = await listen(
    t,
    createTcpServer(() => (reached += 1)),
  );
  const listed = `rebound.example:${target}`;
  const { port, count } = await openProxy(t, siteHere(), [listed, 'absent.example:80']);
  const via = { host: '127.0.0.1', port };
  assert.equal(await tunnel(via, listed), 403);
  assert.deepEqual(await get(port, `http://${listed}/`), [403, 'ringfence: local-address\n']);
  assert.deepEqual(await get(port, 'http://absent.example/'), [502, 'ringfence: not-resolved\n']);
  assert.equal(reached, 0);
  assert.deepEqual(count.use?.refused, [
    { host: 'name', reason: 'local-address', count: 2 },
    { host: 'name', reason: 'not-resolved', count: 1 },
  ]);

  const own = siteHere({ resolve: () => Promise.resolve(['192.0.2.7']), ownAddresses: () => ['192.0.2.7'] });
  const second = await openProxy(t, own, [listed]);
  assert.equal(await tunnel({ host: '127.0.0.1', port: second.port }, listed), 403, 'an address of its interfaces');
});

test('plain HTTP is passed on whole, without what is meant for the proxy', async (t) => {
  const seen: [string | undefined, string | undefined, IncomingMessage['headers'], string][] = [];
  const target = await listen(
    t,
    createServer((asked, answer) => {
      let body = '';
      asked.on('data', (part) => (body += String(part)));
      asked.on('end', () => {
        seen.push([asked.method, asked.url, asked.headers, body]);
        answer.writeHead(201, { 'x-kept': 'yes', connection: 'x-hop', 'x-hop': 'no' }).end('made');
      });
    }),
  );
  const listed = `listed.example:${target}`;
  const { port } = await openProxy(t, siteHere({ allowLocal: new Set([listed]) }), [listed]);
  const asked = request({
    host: '127.0.0.1',
    port,
    method: 'POST',
    path: `http://${listed}/simple/?q=1`,
    headers: {
      host: 'elsewhere.example',
      'proxy-authorization': 'Basic eDp5',
      'x-kept': 'yes',
      connection: 'x-hop',
      'x-hop': 'no',
    },
  });
  asked.end('body');
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  answer.resume();
  assert.deepEqual([answer.statusCode, answer.headers['x-kept'], answer.headers['x-hop']], [201, 'yes', undefined]);
  const [[method, url, headers, body] = []] = seen;
  assert.deepEqual([method, url, body], ['POST', '/simple/?q=1', 'body']);
  assert.equal(headers?.host, listed, 'the place that was checked, not the one that the job names beside it');
  assert.deepEqual(
    [headers?.['x-kept'], headers?.['x-hop'], headers?.['proxy-authorization']],
    ['yes', undefined, undefined],
  );
});

test('what is neither CONNECT nor http:// is answered with 400', async (t) => {
  const { port, count } = await openProxy(t, siteHere(), ['listed.example:443']);
  for (const path of ['/', 'https://listed.example/', 'ftp://listed.example/', 'http://'])
    assert.deepEqual(await get(port, path), [400, 'ringfence: bad-request\n'], path);
  for (const path of ['listed.example', 'listed.example:0443', 'listed.example:443/x', 'a@listed.example:443'])
    assert.equal(await tunnel({ host: '127.0.0.1', port }, path), 400, path);
  assert.deepEqual(count.use, { opened: 0, refused: [{ host: 'none', reason: 'bad-request', count: 8 }] });
});

test('the site’s own proxy is used, with its credentials, and learns only what the list allows', async (t) => {
  const target = await echo(t);
  const seen: (string | undefined)[] = [];
  const upstream = createServer((asked, answer) => {
    seen.push(`${asked.method} ${asked.url} ${asked.headers['proxy-authorization']}`);
    answer.end('by the proxy');
  });
  upstream.on('connect', (asked, socket: Socket) => {
    seen.push(`${asked.method} ${asked.url} ${asked.headers['proxy-authorization']}`);
    if (asked.url === 'forbidden.example:443')
      return void socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    socket.pipe(socket);
  });
  const upstreamPort = await listen(t, upstream);
  const site = siteHere({
    upstream: upstreamProxy(`http://user:p%40ss@127.0.0.1:${upstreamPort}`),
    // As behind a firewall: names of the outside are known to the proxy alone.
    resolve: () => Promise.reject(new Error('ENOTFOUND')),
  });
  const { port, count } = await openProxy(t, site, ['far.example:443', 'forbidden.example:443', 'far.example:80']);
  const via = { host: '127.0.0.1', port };
  assert.equal(await answerOf(await tunnel(via, 'far.example:443'), 'hello'), 'hello');
  assert.equal(await tunnel(via, 'forbidden.example:443'), 403);
  assert.equal(await tunnel(via, `127.0.0.1:${target}`), 403);
  assert.deepEqual(await get(port, 'http://far.example/x'), [200, 'by the proxy']);
  const login = `Basic ${Buffer.from('user:p@ss').toString('base64')}`;
  assert.ok(!inspect(site, { depth: 9 }).includes(login.slice(6)) && !inspect(site, { depth: 9 }).includes('p%40ss'));
  assert.deepEqual(seen, [
    `CONNECT far.example:443 ${login}`,
    `CONNECT forbidden.example:443 ${login}`,
    `GET http://far.example/x ${login}`,
  ]);
  assert.deepEqual(count.use?.opened, 2);
});

test('whoever leaves while a name is looked up causes no request', async (t) => {
  const seen: (string | undefined)[] = [];
  const upstream = createServer((asked, answer) => {
    seen.push(asked.url);
    answer.end('passed');
  });
  const url = `http://127.0.0.1:${await listen(t, upstream)}`;
  t.after(() => upstream.closeAllConnections());
  const held = Promise.withResolvers<readonly string[]>();
  const looked = Promise.withResolvers<void>();
  const resolve = (host: string): Promise<readonly string[]> => {
    if (host !== 'slow.example') return Promise.resolve(['192.0.2.1']);
    looked.resolve();
    return held.promise;
  };
  const allow = ['slow.example:80', 'other.example:80'];
  const { port } = await openProxy(t, siteHere({ upstream: upstreamProxy(url), resolve }), allow);
  const left = request({ host: '127.0.0.1', port, path: 'http://slow.example/', agent: false }).on('error', () => {});
  left.end();
  await looked.promise;
  left.destroy();
  assert.deepEqual(await get(port, 'http://other.example/first'), [200, 'passed']);
  held.resolve(['192.0.2.1']);
  assert.deepEqual(await get(port, 'http://other.example/second'), [200, 'passed']);
  assert.deepEqual(seen, ['http://other.example/first', 'http://other.example/second']);
});

test('a body never reads as a second request at the site’s own proxy, whatever method carries it', async (t) => {
  const smuggled = 'CONNECT forbidden.example:443 HTTP/1.1\r\nhost: forbidden.example\r\n\r\n';
  const seen: string[] = [];
  // Raw: a lenient proxy would take what follows the end of a request for the next one.
  const upstream = createTcpServer((socket) => {
    const parts: Buffer[] = [];
    socket
      .on('error', () => {})
      .on('data', (part: Buffer) => {
        parts.push(part);
        if (!Buffer.concat(parts).includes(smuggled)) return;
        seen.push(Buffer.concat(parts).toString().split('\r\n\r\n')[0]?.toLowerCase() ?? '');
        socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
      });
  });
  const site = siteHere({
    upstream: upstreamProxy(`http://127.0.0.1:${await listen(t, upstream)}`),
    resolve: () => Promise.resolve(['192.0.2.1']),
  });
  const { port } = await openProxy(t, site, ['far.example:80']);
  const send = async (method: string, headers: Record<string, string>): Promise<string> => {
    const asked = request({ host: '127.0.0.1', port, method, path: 'http://far.example/', headers, agent: false });
    asked.end(smuggled);
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    answer.resume();
    return seen.pop() ?? '';
  };
  const length = { 'content-length': String(smuggled.length) };
  for (const method of ['GET', 'DELETE', 'OPTIONS', 'POST']) {
    assert.match(
      await send(method, { 'transfer-encoding': 'chunked' }),
      /\r\ntransfer-encoding: chunked(?:\r|$)/,
      method,
    );
    for (const connection of ['close', 'content-length', 'close, Content-Length'])
      assert.match(await send(method, { ...length, connection }), /\r\ncontent-length: \d+(?:\r|$)/, method);
  }
});

test('the proxy listens in a folder with a long path, and leaves nothing there', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), `ringfence-egress-${'long'.repeat(24)}-`));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const target = await echo(t);
  const listed = `listed.example:${target}`;
  const site = siteHere({ allowLocal: new Set([listed]) });
  const count = new EgressCount(() => {});
  const proxy = new EgressProxy({ allow: new Set([listed]), site, count, clock: systemClock });
  await proxy.listenIn(join(folder, 'egress'));
  const fd = openSync(join(folder, 'egress'), 0o10_000_000);
  t.after(() => closeSync(fd));
  const socketPath = `/proc/self/fd/${fd}/egress.sock`;
  const open = await tunnel({ socketPath }, listed);
  assert.ok(typeof open !== 'number');
  proxy.close();
  await once(open, 'close');
  await assert.rejects(tunnel({ socketPath }, listed));
});
