// Jobs in images made by other people's tools: from a real registry, an archive and a layout, by runc and by gVisor, through the whole house.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import {
  copyImage,
  makeImage,
  startRegistry,
  type MadeImage,
  type TestRegistry,
} from '../../apps/agent/src/oci/image-makers.fixture.ts';
import { startHouse, type House } from '../../scripts/house/index.ts';
import { missing } from '../../scripts/needs.ts';

const root = mkdtempSync(join(tmpdir(), 'ringfence-images-'));
let house: House;
let registry: TestRegistry;
let made: MadeImage;
let jobs = 0;
/** The machine's own address: a job file may not name loopback. */
const address =
  Object.values(networkInterfaces())
    .flatMap((found) => found ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
/** A place outside that one job may reach. */
const server = createServer((_, response) => void response.end('from outside\n'));

/** Runs a job and returns its end and what it printed. */
async function launch(fields: string): Promise<{ code: number | null; log: string; result: Record<string, unknown> }> {
  jobs += 1;
  const file = join(root, `job-${jobs}.yaml`);
  writeFileSync(file, `name: image-${jobs}\nworkdir: code\n${fields}\n`);
  const { code, stdout, stderr } = await house.cli(['launch', '-y', '--json', file]);
  const events = stdout
    .trim()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line): Record<string, unknown> => JSON.parse(line));
  const log = events.flatMap(({ event, text }) => (event === 'log' ? [String(text)] : [])).join('\n');
  return { code, log: `${log}\n${stderr}`, result: events.at(-1) ?? {} };
}

suite('jobs in images', { skip: missing('full', 'root', 'runc', 'runsc', 'image-makers', 'docker-registry') }, () => {
  before(async () => {
    mkdirSync(join(root, 'code'));
    writeFileSync(join(root, 'code', 'given'), 'with the job\n');
    mkdirSync(join(root, 'images'));
    made = makeImage(join(root, 'images'));
    registry = await startRegistry(join(root, 'registry'));
    copyImage(`oci:${made.layout}:made`, `docker://${registry.host}/acme/made:1`, '--dest-tls-verify=false');
    copyImage(`oci:${made.layout}:made`, `oci-archive:${join(root, 'images', 'made.tar')}`);
    server.listen(0, address);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    house = await startHouse({
      root: join(root, 'house'),
      agents: 1,
      env: {
        'agent-1': {
          RINGFENCE_IMAGE_ROOT: join(root, 'images'),
          RINGFENCE_INSECURE_REGISTRY: registry.host,
          RINGFENCE_EGRESS_ALLOW_LOCAL: `${address}:${port}`,
        },
      },
    });
    mkdirSync(join(root, 'data'));
    writeFileSync(join(root, 'data', 'rows.csv'), 'a,b\n');
    const added = await house.cli(['dataset', 'add', 'rows', join(root, 'data'), '--label', 'internal']);
    assert.equal(added.code, 0, added.stderr);
  });
  after(async () => {
    await house?.stop();
    await registry?.stop();
    server.close();
    rmSync(root, { recursive: true, force: true });
  });

  test('an image of a registry runs by itself, and its result is committed', async () => {
    const { code, log } = await launch(
      `image: ${registry.host}/acme/made:1@${made.digest}\nprivacy: {isolation: container}\noutputs: {/out: {artifact: from-image}}`,
    );
    assert.equal(code, 0, log);
    assert.match(log, /own command hello one two\n\/app/);
    const got = await house.cli(['artifact', 'get', 'from-image', '--out', join(root, 'got')]);
    assert.equal(got.code, 0, got.stderr);
    assert.equal(readFileSync(join(root, 'got', 'made'), 'utf8'), 'made\n');
  });

  test('an archive of the site runs the script of the job, with its code, data and variables', async () => {
    const { code, log } = await launch(
      [
        `image: archive:${join(root, 'images', 'made.tar')}@${made.digest}`,
        'run: |',
        '  cat given /data/rows.csv /opt/tool/version /app/private',
        '  echo "$GREETING $MODE"',
        '  ls -a /gone 2>/dev/null && echo gone-is-there',
        '  ls /usr 2>/dev/null && echo usr-is-there',
        '  (echo x > /app/planted) 2>/dev/null && echo wrote',
        '  exit 0',
        'env: {MODE: own}',
        'mounts: {/data: {dataset: rows}}',
      ].join('\n'),
    );
    assert.equal(code, 0, log);
    assert.match(log, /with the job\na,b\ntool 1\nfor owners\nhello own/);
    assert.doesNotMatch(log, /is-there|wrote/);
  });

  test('a layout of the site runs in gVisor, which is another kernel', async () => {
    const { code, log } = await launch(
      `image: oci:${made.layout}@${made.digest}\nprivacy: {isolation: gvisor}\nrun: cat /proc/version`,
    );
    assert.equal(code, 0, log);
    assert.match(log, /Linux version 4\.4\.0/);
  });

  for (const isolation of ['container', 'gvisor'])
    test(`a job in ${isolation} reaches what it lists by the proxy, and nothing else`, async () => {
      const { port } = server.address() as AddressInfo;
      const place = `${address}:${port}`;
      const { code, log } = await launch(
        [
          `image: oci:${made.layout}@${made.digest}`,
          `privacy: {isolation: ${isolation}, egress: ["${place}"]}`,
          'run: |',
          `  unset NO_PROXY no_proxy`,
          `  wget -q -O - http://${place}/`,
          `  wget -q -T 5 -O - http://${address}:${port + 1}/ 2>&1 || echo refused`,
          `  unset http_proxy HTTP_PROXY`,
          `  wget -q -T 5 -O - http://${place}/ 2>&1 || echo no other way`,
        ].join('\n'),
      );
      assert.equal(code, 0, log);
      assert.match(log, /from outside/);
      assert.match(log, /refused/);
      assert.match(log, /no other way/);
    });

  test('a container without an image has the root file system of the site', async () => {
    const { code, log } = await launch(
      'privacy: {isolation: container}\nrun: |\n  id -u\n  node -e "console.log(6 * 7)"',
    );
    assert.equal(code, 0, log);
    assert.match(log, /^0\n42$/m);
  });

  test('a Python of the site is the one that the job names, and one that it lacks is named', async () => {
    const version = /(3\.\d+)/.exec(execFileSync('python3', ['--version'], { encoding: 'utf8' }))?.[1] ?? '';
    const there = await launch(`python: "${version}"\nrun: python -c "import sys; print(sys.version_info[:2])"`);
    assert.equal(there.code, 0, there.log);
    assert.match(there.log, new RegExp(`\\(3, ${version.slice(2)}\\)`));
    const lacking = await launch('python: "3.2"\nrun: python -c pass');
    assert.notEqual(lacking.code, 0);
    assert.match(lacking.log, /this site has no Python 3\.2; ask its operator/);
  });

  test('an image that is not what its digest says, or not allowed, fails with the reason in the job’s log', async () => {
    const other = `sha256:${'0'.repeat(64)}`;
    const absent = await launch(`image: ${registry.host}/acme/made@${other}\nrun: echo no`);
    assert.notEqual(absent.code, 0);
    assert.match(absent.log, /the registry has no image of this name and digest/);
    const outside = await launch(`image: oci:/var/lib@${made.digest}\nrun: echo no`);
    assert.notEqual(outside.code, 0);
    assert.match(outside.log, /outside the folders that this site allows/);
  });
});
