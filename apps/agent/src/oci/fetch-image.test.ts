import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test, type TestContext } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { Secret, utf8 } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import type { ImageSource } from '@ringfence/protocol/payload';
import { missing } from '../../../../scripts/needs.ts';
import { openImage, type ImageAccess } from './fetch-image.ts';
import { copyImage, makeImage, startRegistry, type MadeImage, type TestRegistry } from './image-makers.fixture.ts';
import { ImageStore } from './image-store.ts';

// bcrypt, as docker-registry wants it; made with crypt(3).
const BCRYPT_OF_SECRET = '$2b$12$ul06usovFUOexDo2ISnWBucZVk3cnZsu56MMMNKc8NEP3aXtSd0hi';

const never = new AbortController().signal;
const digestOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
/** `listed`: the registries of this machine that its operator listed. */
const accessTo = (root: string, registry: Partial<ImageAccess['registry']> = {}): ImageAccess => ({
  roots: [root],
  registries: [],
  registry: { auth: new Map(), insecure: new Set(), listed: new Set(), ...registry },
});

function scratch(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-image-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function storeIn(folder: string, limit = 1e9): ImageStore {
  mkdirSync(join(folder, 'store'), { recursive: true });
  return new ImageStore(join(folder, 'store'), limit, systemClock);
}

async function unpack(store: ImageStore, source: ImageSource, access: ImageAccess) {
  return store.use(source.digest, () => openImage(source, access, never), never);
}

suite('images of other people’s tools', { skip: missing('root', 'image-makers', 'docker-registry') }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-images-'));
  let made: MadeImage;
  let open: TestRegistry;
  before(async () => {
    made = makeImage(folder);
    open = await startRegistry(join(folder, 'registry'));
    copyImage(`oci:${made.layout}:made`, `docker://${open.host}/acme/made:1`, '--dest-tls-verify=false');
  });
  after(async () => {
    await open?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function looksRight(root: string): void {
    assert.match(readFileSync(join(root, 'app', 'go'), 'utf8'), /own command/);
    assert.ok(!existsSync(join(root, 'gone')), 'the second layer took it away');
    assert.equal(statSync(join(root, 'bin', 'busybox')).mode & 0o7777, 0o755);
    assert.equal(statSync(join(root, 'app', 'private')).mode & 0o7777, 0o644);
  }

  test('a registry, a layout and both kinds of archive give the same tree', async (t) => {
    const here = scratch(t);
    const { digest } = made;
    copyImage(`oci:${made.layout}:made`, `oci-archive:${join(folder, 'oci.tar')}`);
    execFileSync('skopeo', [
      'copy',
      '-q',
      `oci:${made.layout}:made`,
      `docker-archive:${join(folder, 'docker.tar')}:a:b`,
    ]);
    const listed: { Config: string }[] = JSON.parse(
      execFileSync('tar', ['-xOf', join(folder, 'docker.tar'), 'manifest.json'], { encoding: 'utf8' }),
    );
    const id = `sha256:${listed[0]?.Config.replace('.json', '') ?? ''}`;
    const sources: readonly ImageSource[] = [
      { kind: 'registry', registry: open.host, repository: 'acme/made', digest },
      { kind: 'layout', path: made.layout, digest },
      { kind: 'archive', path: join(folder, 'oci.tar'), digest },
      { kind: 'archive', path: join(folder, 'docker.tar'), digest: id },
    ];
    for (const [index, source] of sources.entries()) {
      const used = await unpack(
        storeIn(join(here, String(index))),
        source,
        accessTo(folder, { listed: new Set([open.host]) }),
      );
      looksRight(used.root);
      assert.deepEqual(used.config.config?.Entrypoint, ['/app/go']);
    }
  });

  test('a registry with TLS and a password is read with both, and with neither not', async (t) => {
    const here = scratch(t);
    const [key, cert] = [join(here, 'key.pem'), join(here, 'cert.pem')];
    const subject = ['-subj', '/CN=registry', '-addext', 'subjectAltName=IP:127.0.0.1'];
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-keyout',
        key,
        '-out',
        cert,
        '-days',
        '2',
        ...subject,
      ],
      { stdio: 'ignore' },
    );
    writeFileSync(join(here, 'users'), `reader:${BCRYPT_OF_SECRET}\n`);
    const http = `http: {addr: "ADDRESS", tls: {certificate: "${cert}", key: "${key}"}}\nauth: {htpasswd: {realm: test, path: "${join(here, 'users')}"}}\n`;
    const registry = await startRegistry(join(here, 'registry'), http);
    t.after(() => registry.stop());
    const flags = ['--dest-tls-verify=false', '--dest-creds=reader:secret'];
    copyImage(`oci:${made.layout}:made`, `docker://${registry.host}/acme/made:1`, ...flags);
    // The address is loopback, which needs no TLS; with its authorities given it is spoken nevertheless.
    const source = { kind: 'registry', registry: registry.host, repository: 'acme/made', digest: made.digest } as const;
    const auth = new Map([
      [registry.host, new Secret(utf8(`Basic ${Buffer.from('reader:secret').toString('base64')}`))],
    ]);
    const ca = readFileSync(cert, 'utf8');
    const listed = new Set([registry.host]);
    looksRight((await unpack(storeIn(join(here, 'a')), source, accessTo(here, { auth, ca, listed }))).root);
    await assert.rejects(unpack(storeIn(join(here, 'b')), source, accessTo(here, { ca, listed })), { code: 'refused' });
    await assert.rejects(unpack(storeIn(join(here, 'c')), source, accessTo(here, { auth, listed })), /./);
  });

  test('a blob that was changed in the registry is found by its digest, and leaves nothing', async (t) => {
    const here = scratch(t);
    execFileSync('cp', ['-r', made.layout, join(here, 'layout')]);
    const blobs = join(here, 'layout', 'blobs', 'sha256');
    const source = { kind: 'layout', path: join(here, 'layout'), digest: made.digest } as const;
    for (const name of readdirSync(blobs)) {
      const path = join(blobs, name);
      const bytes = readFileSync(path);
      const changed = Buffer.from(bytes);
      changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
      writeFileSync(path, changed);
      const store = storeIn(here);
      await assert.rejects(unpack(store, source, accessTo(here)), /digest says|cannot be unpacked/, name);
      assert.deepEqual(readdirSync(join(here, 'store')), []);
      writeFileSync(path, bytes);
    }
  });
});

/** A layout with one image whose layers are `layers`, as given. */
function layoutOf(folder: string, layers: readonly { type: string; bytes: Buffer; tar: Buffer }[]): ImageSource {
  const blobs = join(folder, 'layout', 'blobs', 'sha256');
  mkdirSync(blobs, { recursive: true });
  const put = (bytes: Buffer, mediaType: string) => {
    const digest = digestOf(bytes);
    writeFileSync(join(blobs, digest.slice(7)), bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const rootfs = { type: 'layers', diff_ids: layers.map(({ tar }) => digestOf(tar)) };
  const config = put(
    Buffer.from(JSON.stringify({ architecture, os: 'linux', rootfs })),
    'application/vnd.oci.image.config.v1+json',
  );
  const manifest = {
    schemaVersion: 2,
    config,
    layers: layers.map(({ bytes, type }) => put(bytes, `application/vnd.oci.image.layer.v1.tar${type}`)),
  };
  const { digest } = put(Buffer.from(JSON.stringify(manifest)), 'application/vnd.oci.image.manifest.v1+json');
  return { kind: 'layout', path: join(folder, 'layout'), digest };
}

function tarOf(folder: string, size: number): Buffer {
  writeFileSync(join(folder, 'content'), Buffer.alloc(size));
  return execFileSync('tar', ['-c', '-C', folder, 'content'], { maxBuffer: 1e9 });
}

test('layers by gzip, zstd and neither are read', async (t) => {
  const here = scratch(t);
  const tar = tarOf(here, 5_000);
  const source = layoutOf(here, [
    { type: '', bytes: tar, tar },
    { type: '+gzip', bytes: gzipSync(tar), tar },
    { type: '+zstd', bytes: zstdCompressSync(tar), tar },
  ]);
  const used = await unpack(storeIn(here), source, accessTo(here));
  assert.equal(statSync(join(used.root, 'content')).size, 5_000);
});

test('a bomb ends at the limit, and leaves nothing', async (t) => {
  const here = scratch(t);
  const tar = tarOf(here, 50_000_000);
  for (const [type, bytes] of [
    ['+gzip', gzipSync(tar)],
    ['+zstd', zstdCompressSync(tar)],
  ] as const) {
    const source = layoutOf(here, [{ type, bytes, tar }]);
    await assert.rejects(unpack(storeIn(here, 1_000_000), source, accessTo(here)), { code: 'too-large' });
    assert.deepEqual(readdirSync(join(here, 'store')), []);
  }
});

test('a layer that unpacks to something else than its configuration says is refused', async (t) => {
  const here = scratch(t);
  const tar = tarOf(here, 10);
  const source = layoutOf(here, [{ type: '+gzip', bytes: gzipSync(tar), tar: tarOf(here, 11) }]);
  await assert.rejects(unpack(storeIn(here), source, accessTo(here)), { code: 'bad-digest' });
});

test('images outside the listed folders are refused, also through a link', async (t) => {
  const here = scratch(t);
  mkdirSync(join(here, 'allowed'));
  const tar = tarOf(here, 10);
  const { digest } = layoutOf(here, [{ type: '', bytes: tar, tar }]);
  symlinkSync(join(here, 'layout'), join(here, 'allowed', 'link'));
  const access = accessTo(join(here, 'allowed'));
  for (const path of [join(here, 'layout'), join(here, 'allowed', 'link'), join(here, 'allowed'), '/'])
    await assert.rejects(openImage({ kind: 'layout', path, digest }, access, never), { code: 'not-allowed' }, path);
  const none = { ...access, roots: [] };
  await assert.rejects(openImage({ kind: 'layout', path: here, digest }, none, never), { code: 'not-allowed' });
});

test('the images used last are kept, those in use always, and a store is taken up again', async (t) => {
  const here = scratch(t);
  const sources = [1, 2, 3].map((size) => {
    const folder = join(here, String(size));
    mkdirSync(folder);
    const tar = tarOf(folder, size * 512);
    return layoutOf(folder, [{ type: '', bytes: tar, tar }]);
  });
  const [one, two, three] = sources;
  assert.ok(one && two && three);
  const store = storeIn(here, 25_000);
  const used = await unpack(store, one, accessTo(here));
  (await unpack(store, two, accessTo(here))).release();
  (await unpack(store, three, accessTo(here))).release();
  const kept = () =>
    readdirSync(join(here, 'store'))
      .map((name) => name.slice(0, 64))
      .toSorted();
  const hex = (source: ImageSource) => source.digest.slice(7);
  assert.deepEqual(kept(), [hex(one), hex(three)].toSorted());
  mkdirSync(join(here, 'store', 'new-9'));
  const again = storeIn(here, 25_000);
  assert.deepEqual(kept(), [hex(one), hex(three)].toSorted());
  const reused = await again.use(one.digest, () => assert.fail('it is there'), never);
  assert.equal(reused.root, used.root);
});

suite('a registry that is not to be trusted', () => {
  let server: Server;
  let host = '';
  let answer: (path: string) => { status: number; headers?: Record<string, string>; body?: string };
  before(async () => {
    server = createServer((request, response) => {
      const { status, headers, body } = answer(request.url ?? '');
      response.writeHead(status, headers).end(body);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => server.close());
  const source = (): ImageSource => ({
    kind: 'registry',
    registry: host,
    repository: 'a/b',
    digest: `sha256:${'1'.repeat(64)}`,
  });

  const accessHere = (t: TestContext): ImageAccess => accessTo(scratch(t), { listed: new Set([host]) });

  for (const [what, reply, code] of [
    ['gives something else', { status: 200, body: '{}' }, 'bad-digest'],
    ['leads in a circle', { status: 307, headers: { location: '/v2/again' } }, 'refused'],
    ['leads to a place without TLS', { status: 307, headers: { location: 'http://192.0.2.1/x' } }, 'refused'],
    [
      'leads to another service of this machine',
      { status: 307, headers: { location: 'https://[2002:7f00:1::]/x' } },
      'not-allowed',
    ],
    [
      'asks for a token without TLS',
      { status: 401, headers: { 'www-authenticate': 'Bearer realm="http://192.0.2.1/t"' } },
      'refused',
    ],
    [
      'asks for a password that nobody gave',
      { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } },
      'refused',
    ],
    ['has nothing', { status: 404 }, 'not-found'],
    ['sends without end', { status: 200, body: 'x'.repeat(9_000_000) }, 'too-large'],
  ] as const)
    test(`one that ${what} is refused`, async (t) => {
      answer = () => reply;
      await assert.rejects(openImage(source(), accessHere(t), never), { code });
    });

  test('one that is elsewhere cannot send this agent to a service of its own machine', async (t) => {
    const seen: string[] = [];
    const port = host.split(':')[1] ?? '';
    answer = (path) => {
      seen.push(path);
      return { status: 401, headers: { 'www-authenticate': `Bearer realm="http://127.0.0.1:${port}/admin/stop"` } };
    };
    // Another spelling of this machine stands for a machine elsewhere.
    const elsewhere: ImageSource = { ...source(), registry: `0.0.0.0:${port}` } as ImageSource;
    const names = new Set([`0.0.0.0:${port}`]);
    const access = accessTo(scratch(t), { insecure: names, listed: names });
    await assert.rejects(openImage(elsewhere, access, never), { code: 'refused' });
    assert.equal(seen.length, 1, seen.join());
  });

  test('one that nobody listed and that is this machine, however it is spelled, is not asked at all', async (t) => {
    let asked = 0;
    answer = () => {
      asked += 1;
      return { status: 404 };
    };
    const port = host.split(':')[1] ?? '';
    for (const name of ['127.0.0.1', '127.1', '2130706433', 'localhost', '[::1]', '[::ffff:127.0.0.1]', '0.0.0.0'])
      for (const insecure of [new Set<string>(), new Set([`${name}:${port}`])]) {
        const named = { ...source(), registry: `${name}:${port}` } as ImageSource;
        await assert.rejects(
          openImage(named, accessTo(scratch(t), { insecure }), never),
          { code: 'not-allowed' },
          name,
        );
      }
    assert.equal(asked, 0);
    // The control: the same registry, listed.
    await assert.rejects(openImage(source(), accessHere(t), never), { code: 'not-found' });
    assert.equal(asked, 1);
  });

  test('a token is fetched where the registry says, and goes to it alone', async (t) => {
    const seen: string[] = [];
    answer = (path) => {
      seen.push(path);
      if (path.startsWith('/token')) return { status: 200, body: '{"token":"t"}' };
      return seen.length < 2
        ? { status: 401, headers: { 'www-authenticate': `Bearer realm="http://${host}/token",service="s"` } }
        : { status: 404 };
    };
    await assert.rejects(openImage(source(), accessHere(t), never), { code: 'not-found' });
    assert.equal(seen[1], '/token?scope=repository%3Aa%2Fb%3Apull&service=s');
  });
});
