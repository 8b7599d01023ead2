// A job reaches what it lists and nothing else; pip in setup reaches the site's mirror; the owner sees what was refused.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { House } from '../../scripts/house/index.ts';
import { need } from '../../scripts/needs.ts';
import { sharedHouse } from './shared-house.ts';

const root = mkdtempSync(join(tmpdir(), 'ringfence-egress-'));
const WHEEL = 'ringfence_trial-1.0-py3-none-any.whl';
/** What was asked of the one server that is both a mirror and a place of the outside. */
const asked: string[] = [];
const server = createServer((request, response) => {
  const path = request.url ?? '';
  asked.push(`${request.method} ${path}`);
  if (path === '/simple/ringfence-trial/')
    return void response
      .writeHead(200, { 'content-type': 'text/html' })
      .end(`<!DOCTYPE html><html><body><a href="/files/${WHEEL}">${WHEEL}</a></body></html>`);
  if (path === `/files/${WHEEL}`) return void response.end(readFileSync(join(root, WHEEL)));
  if (path === '/hello') return void response.end('hello from outside');
  response.writeHead(404).end();
});
let house: House;
let place: string;

before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  place = `${hostname().toLowerCase()}:${(server.address() as AddressInfo).port}`;
  mkdirSync(join(root, 'code'));
  writeFileSync(join(root, 'code', 'get.py'), GET);
  house = await sharedHouse({ RINGFENCE_SETUP_MIRROR: place, RINGFENCE_EGRESS_ALLOW_LOCAL: place });
});

after(() => {
  server.close();
  rmSync(root, { recursive: true, force: true });
});

/** Launches a job; what its log said, or why it was refused. */
async function launch(
  name: string,
  fields: readonly string[],
): Promise<{ code: number | null; said: string; errors: string }> {
  const file = join(root, `${name}.yaml`);
  writeFileSync(file, [`name: ${name}`, 'workdir: code', ...fields].join('\n'));
  const { code, stdout, stderr } = await house.cli(['launch', '-y', '--json', file]);
  const lines = stdout.split('\n').filter((line) => line.startsWith('{"event":"log"'));
  return { code, said: lines.map((line) => (JSON.parse(line) as { text: string }).text).join('\n'), errors: stderr };
}

/** A Python program that finds its proxy as every program does: by the variables. */
const GET = `import sys, urllib.request, urllib.error
try:
    print(urllib.request.urlopen(sys.argv[1]).read().decode())
except urllib.error.HTTPError as refusal:
    print(refusal.code)
except OSError as failure:
    print(type(failure).__name__)
`;

test('a job reaches what it lists through its proxy, and its owner sees what was refused', async (t) => {
  if (!need(t, 'bubblewrap', 'python3', 'own-name')) return;
  const port = place.split(':')[1];
  const { code, said, errors } = await launch('reach', [
    'run: |',
    `  /usr/bin/python3 get.py http://${place}/hello`,
    `  /usr/bin/python3 get.py http://elsewhere.example/`,
    `  /usr/bin/python3 get.py http://[::1]:${port}/hello`,
    `  env -u http_proxy -u HTTP_PROXY /usr/bin/python3 get.py http://127.0.0.1:${port}/hello`,
    `  tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '`,
    `privacy: {isolation: sandbox, egress: ["${place}"]}`,
  ]);
  assert.equal(code, 0, `${errors}\n${said}`);
  const printed = said.split('\n').filter((line) => !line.startsWith('ringfence:'));
  assert.deepEqual(printed, ['hello from outside', '403', '403', 'URLError', 'lo']);
  assert.match(said, /^ringfence: no connection to elsewhere\.example:80: it is not in the list/m);
  assert.deepEqual(asked, ['GET /hello']);
  const status = await house.cli(['status', 'reach', '--json']);
  const { lastAttempt } = JSON.parse(status.stdout) as { lastAttempt: { egress: unknown } };
  assert.deepEqual(lastAttempt.egress, {
    opened: 1,
    refused: [
      { host: 'name', reason: 'not-listed', count: 1 },
      { host: 'ipv6', reason: 'not-listed', count: 1 },
    ],
  });
  assert.match(
    (await house.cli(['status', 'reach'])).stdout,
    /egress: 1 connection, refused: 1 name not-listed, 1 ipv6 not-listed/,
  );
});

test('pip in setup installs from the site’s mirror; the job itself has no network', async (t) => {
  if (!need(t, 'bubblewrap', 'python3', 'own-name')) return;
  const made = spawnSync('/usr/bin/python3', ['-c', MAKE_WHEEL, join(root, WHEEL)], { encoding: 'utf8' });
  assert.equal(made.status, 0, made.stderr);
  const trusted = place.split(':')[0];
  const index = `--index-url http://${place}/simple --trusted-host ${trusted} --no-cache-dir --disable-pip-version-check`;
  const { code, said, errors } = await launch('pip', [
    `setup: /usr/bin/python3 -m pip install ${index} --target lib ringfence-trial`,
    'run: |',
    '  PYTHONPATH=lib /usr/bin/python3 -c "import ringfence_trial; print(ringfence_trial.WORDS)"',
    '  echo "proxy: $HTTP_PROXY"',
    'privacy: {isolation: sandbox}',
  ]);
  assert.equal(code, 0, `${errors}\n${said}`);
  assert.match(said, /Successfully installed ringfence-trial-1\.0/);
  assert.match(said, /installed from a mirror\nproxy: $/m);
  assert.ok(asked.includes(`GET /files/${WHEEL}`));
});

test('data that may not leave has no way out, whatever the file says', async () => {
  for (const sensitivity of ['confidential', 'restricted']) {
    const { code, errors } = await launch(`deny-${sensitivity}`, [
      'run: "true"',
      `privacy: {sensitivity: ${sensitivity}, egress: ["${place}"]}`,
    ]);
    assert.notEqual(code, 0);
    assert.match(errors, /privacy\.egress/);
  }
});

test('a job for a card that no machine has is not placed, with the reason and what to do', async () => {
  const file = join(root, 'gpu.yaml');
  writeFileSync(file, 'name: gpu\nworkdir: code\nrun: nvidia-smi\nresources: {gpu: "H100:80GB+:1"}\n');
  const { stdout, stderr } = await house.cli(['plan', file]);
  assert.match(stdout, /refused: 1 × gpu/, stderr);
  assert.match(stdout, /gpu: ask for another model, less memory or fewer cards in resources\.gpu/);
});

const MAKE_WHEEL = `import sys, zipfile, hashlib, base64
files = {
  'ringfence_trial.py': 'WORDS = "installed from a mirror"\\n',
  'ringfence_trial-1.0.dist-info/METADATA': 'Metadata-Version: 2.1\\nName: ringfence-trial\\nVersion: 1.0\\n',
  'ringfence_trial-1.0.dist-info/WHEEL': 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n',
}
record = ''
with zipfile.ZipFile(sys.argv[1], 'w') as wheel:
  for name, text in files.items():
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b'=').decode()
    record += f'{name},sha256={digest},{len(text)}\\n'
    wheel.writestr(name, text)
  wheel.writestr('ringfence_trial-1.0.dist-info/RECORD', record + 'ringfence_trial-1.0.dist-info/RECORD,,\\n')
`;
