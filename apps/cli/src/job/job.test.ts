import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { JobFileError, parseJobFile } from '@ringfence/protocol/job-file';
import { temporaryFolder } from '../cli-process.fixture.ts';
import { agentPosture, custodianPosture } from '../doctor/organisation.ts';
import { forProduction } from '../doctor/finding.ts';
import { epochMs } from '@ringfence/base';
import { folderOrFile } from './folder-entries.ts';
import { failureText } from './failure-text.ts';
import { intoNewFolder, requireNewFolder } from './new-folder.ts';
import { serviceOf } from '../endpoint/service-of.ts';
import { refuseWhatIsNotYet } from './not-yet.ts';
import { travelling } from './pack-workdir.ts';
import { constraintsOf } from './prepared-job.ts';

const job = (added = '') => parseJobFile(`name: a\nrun: b\n${added}\n`);

describe('constraints of a job', () => {
  test('are its label’s, tightened by every wish of the file', () => {
    const file = job(
      'privacy: {place: {tiers: [secure-cloud], residency: [DE], evidence_grade: third-party, evidence_max_age: 30d}}',
    );
    assert.deepEqual(constraintsOf(file, { sensitivity: 'internal', residency: ['EU'] }), {
      tiers: ['secure-cloud'],
      residency: ['DE'],
      isolation: 'sandbox',
      tees: [],
      evidence: { require: [], grade: 'third-party', maxAgeDays: 30 },
      egress: 'none',
      burst: 'allowed',
      logs: 'sealed',
    });
    assert.equal(constraintsOf(job(), { sensitivity: 'internal', residency: [] }).isolation, 'process');
    assert.equal(constraintsOf(job(), { sensitivity: 'restricted', residency: [] }).isolation, 'sandbox');
  });

  test('are refused where the file is looser, with its own paths', () => {
    const paths = (added: string, sensitivity: 'restricted' | 'internal'): string[] => {
      try {
        constraintsOf(job(added), { sensitivity, residency: ['EU'] });
      } catch (error) {
        assert.ok(error instanceof JobFileError);
        return error.problems.map(({ path }) => path);
      }
      return [];
    };
    assert.deepEqual(paths('privacy: {logs: sealed, isolation: process}', 'restricted'), [
      'privacy.isolation',
      'privacy.logs',
    ]);
    assert.deepEqual(paths('privacy: {place: {residency: [US]}}', 'internal'), ['privacy.place.residency']);
    assert.deepEqual(paths('privacy: {sensitivity: public}', 'internal'), ['privacy.sensitivity']);
  });
});

test('every field that does nothing yet is refused, and a plain job passes', () => {
  refuseWhatIsNotYet(
    job(
      'type: batch\nresources: {cpus: 2, memory: 1GB, gpu: "A100:1"}\nsetup: c\nenv: {A: b}\nretry: {max: 2, on: [error]}\nprivacy: {egress: ["a.example:443"]}',
    ),
  );
  refuseWhatIsNotYet(job('resources: {spot: only, max_price: 1 USD}\nweights: {cost: 2, speed: 0, reliability: 1}'));
  refuseWhatIsNotYet(
    job('type: serve\nservice: {port: 8000, replicas: 0..4, scaling: {metric: concurrency, target: 2}}'),
  );
  refuseWhatIsNotYet(parseJobFile('name: a\ntype: federate\nfederation: {contract: a}\nmounts: {/d: {dataset: a}}\n'));
  for (const added of ['type: compute', 'privacy: {tee: {require: [tdx]}}', 'weights: {gravity: 0}'])
    assert.throws(() => refuseWhatIsNotYet(job(added)), { code: 'not-yet' }, added);
});

test('a service travels in its workload as the file says, and not with more replicas than there may be slots', () => {
  const service = (fields: string) => job(`type: serve\nservice: {port: 8000${fields}}`).service;
  const [plain, ranged, many] = [
    service(''),
    service(', api: openai, probe: /up, replicas: 0..4, scaling: {metric: concurrency, target: 2}'),
    service(', replicas: 101'),
  ];
  assert.ok(plain && ranged && many);
  assert.deepEqual(serviceOf(plain), { port: 8_000, api: 'http', replicas: { min: 1, max: 1 } });
  assert.deepEqual(serviceOf(ranged), {
    port: 8_000,
    api: 'openai',
    replicas: { min: 0, max: 4 },
    scaling: { metric: 'concurrency', target: 2 },
    probe: '/up',
  });
  assert.throws(() => serviceOf(many), { code: 'not-yet' });
});

test('an image asks for a container, and for no less than was wished', () => {
  const image = `image: acme/a@sha256:${'0'.repeat(64)}`;
  const wish = (fields: string) =>
    constraintsOf(job(`${image}\n${fields}`), { sensitivity: 'internal', residency: [] }).isolation;
  assert.equal(wish(''), 'container');
  assert.equal(wish('privacy: {isolation: process}'), 'container');
  assert.equal(wish('privacy: {isolation: gvisor}'), 'gvisor');
});

test('a card is refused where the job runs in a container, whichever field or label says so', () => {
  const image = `image: acme/a@sha256:${'0'.repeat(64)}`;
  const refused = (fields: string, sensitivity: 'internal' | 'confidential' = 'internal') =>
    assert.throws(
      () => constraintsOf(job(`resources: {gpu: A100}\n${fields}`), { sensitivity, residency: [] }),
      (error) => {
        assert.ok(error instanceof JobFileError);
        assert.deepEqual(
          error.problems.map(({ path, code }) => [path, code]),
          [['resources.gpu', 'not-yet']],
        );
        return true;
      },
    );
  refused(image);
  refused('privacy: {isolation: gvisor}');
  refused('', 'confidential');
  assert.equal(
    constraintsOf(job('resources: {gpu: A100}'), { sensitivity: 'restricted', residency: [] }).isolation,
    'sandbox',
  );
});

describe('a folder that is sealed', () => {
  test('as a dataset has all its files and links, and nothing else may lie there', (t) => {
    const folder = temporaryFolder(t);
    mkdirSync(join(folder, 'deep'));
    writeFileSync(join(folder, 'deep/a.csv'), '1');
    writeFileSync(join(folder, '.hidden'), '2', { mode: 0o755 });
    symlinkSync('deep/a.csv', join(folder, 'link'));
    assert.deepEqual(folderOrFile(folder).entries, [
      { kind: 'file', path: '.hidden', executable: true },
      { kind: 'file', path: 'deep/a.csv', executable: false },
      { kind: 'link', path: 'link', target: 'deep/a.csv' },
    ]);
    const one = folderOrFile(join(folder, 'deep/a.csv'));
    assert.deepEqual([one.folder, one.entries.map(({ path }) => path)], [join(folder, 'deep'), ['a.csv']]);
    assert.throws(() => folderOrFile(join(folder, 'none')), { code: 'bad-file' });
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    assert.throws(() => folderOrFile(folder), { code: 'bad-file' });
  });

  test('as a workdir leaves out what ignore files name, of folders that are not even read', (t) => {
    const folder = temporaryFolder(t);
    for (const name of ['data', '.git', 'src/cache']) mkdirSync(join(folder, name), { recursive: true });
    const files = {
      'train.py': '',
      'data/x.csv': '',
      '.git/HEAD': '',
      'src/m.py': '',
      'src/cache/c': '',
      'run.sh': '',
    };
    for (const [path, content] of Object.entries(files))
      writeFileSync(join(folder, path), content, path === 'run.sh' ? { mode: 0o755 } : {});
    writeFileSync(join(folder, '.gitignore'), 'data/\n');
    writeFileSync(join(folder, 'src/.ringfenceignore'), 'cache/\n');
    execFileSync('mkfifo', [join(folder, 'data/pipe')]);
    const { entries, leftOut } = travelling(folder);
    assert.deepEqual(leftOut, ['.git/', 'data/', 'src/cache/']);
    assert.deepEqual(
      entries.map(({ path }) => path),
      ['.gitignore', 'run.sh', 'src/.ringfenceignore', 'src/m.py', 'train.py'],
    );
    assert.deepEqual(entries[1], { kind: 'file', path: 'run.sh', executable: true });
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    assert.throws(() => travelling(folder), { code: 'bad-file' });
    assert.throws(() => travelling(join(folder, 'none')), { code: 'bad-file' });
  });
});

describe('an artifact', () => {
  test('lands whole or not at all, and never over something', async (t) => {
    const parent = temporaryFolder(t);
    const target = join(parent, 'new/out');
    const write = async (folder: string): Promise<string> => {
      writeFileSync(join(folder, 'a'), '1');
      return 'done';
    };
    await assert.rejects(
      intoNewFolder(target, async (folder) => Promise.reject(new Error(await write(folder)))),
      /done/,
    );
    assert.deepEqual([existsSync(target), readdirSync(join(parent, 'new'))], [false, []]);
    assert.equal(await intoNewFolder(target, write), 'done');
    assert.deepEqual([readFileSync(join(target, 'a'), 'utf8'), readdirSync(join(parent, 'new'))], ['1', ['out']]);
    assert.throws(() => requireNewFolder(target), { code: 'bad-file' });
    assert.throws(() => requireNewFolder(join(target, 'a')), { code: 'bad-file' });
    await assert.rejects(intoNewFolder(target, write));
    assert.deepEqual([readdirSync(target), readdirSync(join(parent, 'new'))], [['a'], ['out']]);
    mkdirSync(join(parent, 'empty'));
    requireNewFolder(join(parent, 'empty'));
    await intoNewFolder(join(parent, 'empty'), write);
  });
});

test('a failure reads as one line', () => {
  const failure = {
    class: 'user-code',
    exception: 'ValueError',
    at: 'train.py:3',
    exitCode: 1,
    peakMemoryMb: 12,
  } as const;
  assert.equal(failureText(failure), 'user-code, ValueError, at train.py:3, exit code 1, peak memory 12.0 MB');
});

test('production refuses an embedded database, a key file and a missing backup; a try is warned', () => {
  const now = epochMs(1_800_000_000_000);
  const poor = custodianPosture({ lastBackupAt: null, seal: 'key-file', database: 'embedded' }, now);
  assert.deepEqual(
    poor.map(({ verdict }) => verdict),
    ['warn', 'warn', 'warn'],
  );
  assert.deepEqual(
    forProduction(poor).map(({ verdict }) => verdict),
    ['bad', 'bad', 'bad'],
  );
  const fit = custodianPosture({ lastBackupAt: epochMs(now - 3_600_000), seal: 'passphrase', database: 'url' }, now);
  assert.deepEqual(
    forProduction(fit).map(({ verdict }) => verdict),
    ['good', 'good', 'good'],
  );
  const databaseUnfit = ['unprotected-connection', 'superuser-url'] as const;
  const server = { lastBackupAt: now, seal: 'passphrase', database: 'url', databaseUnfit: [...databaseUnfit] } as const;
  assert.deepEqual(
    forProduction(custodianPosture({ ...server, databaseUnfit: [...databaseUnfit] }, now)).map(
      ({ verdict }) => verdict,
    ),
    ['good', 'good', 'bad', 'bad'],
  );
});

test('production refuses agents that may run jobs without a sandbox', () => {
  const agents = [
    { name: 'gpu-1', isolations: ['sandbox', 'container'] },
    { name: 'laptop', isolations: ['process', 'sandbox'] },
  ];
  const [found] = forProduction(agentPosture(agents));
  assert.equal(found?.verdict, 'bad');
  assert.match(found.detail, /^laptop may/);
  assert.deepEqual(
    forProduction(agentPosture(agents.slice(0, 1))).map(({ verdict }) => verdict),
    ['good'],
  );
});
