import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse, stringify } from 'yaml';
import { parseJobFile } from '../parse.ts';
import { JobFileError } from '../problem.ts';
import { convertJobFile, type Converted } from './convert.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

function convert(text: string): Converted & { job: Record<string, unknown>; needed: string[] } {
  const converted = convertJobFile(text, 'fallback');
  assert.ok(converted, 'recognised');
  const needed = converted.left.filter(({ effect }) => effect === 'needed').map(({ path }) => path);
  return { ...converted, job: parse(converted.text, { schema: 'failsafe' }) as Record<string, unknown>, needed };
}

test('a FedML job is carried', () => {
  const { job, dialect, needed, problems } = convert(`
workspace: ./src
job: python3 train.py --run $FEDML_CURRENT_RUN_ID
bootstrap: pip install -r requirements.txt
job_type: train
docker: {image: "registry/train@${DIGEST}"}
computing: {minimum_num_gpus: 2, resource_type: A100-80GB-SXM, maximum_cost_per_hour: $1.75}
`);
  assert.equal(dialect, 'fedml');
  assert.deepEqual([needed, problems], [[], []]);
  assert.deepEqual(
    [job['name'], job['type'], job['workdir'], job['image'], job['resources']],
    ['fallback', 'train', 'src', `registry/train@${DIGEST}`, { gpu: 'A100:80GB:2' }],
  );
  assert.match(String(job['run']), /^export FEDML_CURRENT_RUN_ID="\$RINGFENCE_JOB"\nset \+e\npython3 train\.py/);
});

test('a SkyPilot service is carried: probe, replicas and their scaling', () => {
  const { job, needed, problems } = convert(`
name: llm
resources: {accelerators: {H100: 1}, memory: 64+, disk_size: 256, ports: 8000, any_of: [{use_spot: true}]}
service: {readiness_probe: {path: /health, initial_delay_seconds: 60}, replica_policy: {min_replicas: 0, max_replicas: 4, target_qps_per_replica: 5}}
run: python3 serve.py
`);
  assert.deepEqual([needed, problems], [[], []]);
  assert.equal(job['type'], 'serve');
  assert.deepEqual(job['resources'], { gpu: 'H100:1', memory: '64GB+', disk: '256GB+' });
  assert.deepEqual(job['service'], {
    probe: '/health',
    port: '8000',
    replicas: '0..4',
    scaling: { metric: 'requests-per-second', target: '5' },
  });
});

test('a dstack task is carried: commands, variables without a value as secrets, ranges', () => {
  const { job, needed, problems, left } = convert(`
type: task
name: train
python: "3.12"
env: [HF_TOKEN, LR=1e-3]
commands: [pip install -r requirements.txt, python train.py]
resources: {cpu: 4.., memory: 16GB..64GB, gpu: "24GB..:1..2", disk: 100GB}
repos: [.]
retry: {on_events: [interruption], duration: 6h}
`);
  assert.deepEqual([needed, problems], [[], []]);
  assert.deepEqual(job['secrets'], ['HF_TOKEN']);
  assert.deepEqual(job['env'], { LR: '1e-3' });
  assert.deepEqual(job['resources'], { cpus: '4+', memory: '16GB+', gpu: '24GB+:1..2', disk: '100GB+' });
  assert.equal(job['run'], 'pip install -r requirements.txt\npython train.py\n');
  assert.ok(left.some(({ path, effect }) => path === 'env[0]' && effect === 'step'));
});

test('a service of another platform that is tried again is one that is: our replicas always start anew', () => {
  for (const file of [
    'type: service\nname: a\ncommands: [serve]\nport: 8000\nretry: true\n',
    'name: a\nrun: serve\nservice: {readiness_probe: /h, replicas: 1}\nresources: {ports: 8000, job_recovery: {max_restarts_on_errors: 3}}\n',
  ]) {
    const { job, needed, problems, left } = convert(file);
    assert.deepEqual([needed, problems, job['retry'], job['type']], [[], [], undefined, 'serve']);
    assert.ok(left.some(({ path, effect }) => /retry|job_recovery/.test(path) && effect === 'ignored'));
  }
});

test('what cannot be carried is named key by key', () => {
  const cases: readonly (readonly [file: string, needed: readonly string[]])[] = [
    [
      'job: x\nrun_api_key: k\nserver_job: y\ndocker: {image: a/b:latest, password: p}\n',
      ['run_api_key', 'server_job', 'docker.image', 'docker.password'],
    ],
    ['job: x\njob_type: deploy\n', ['job_type']],
    ['job: echo $FEDML_CLIENT_RANK\nworkspace: ../other\n', ['job.FEDML_CLIENT_RANK', 'workspace']],
    [
      'run: x\nnum_nodes: 2\nresources: {accelerators: {A100: 1, H100: 1}, image_id: "docker:a:b"}\nfile_mounts: {~/data: s3://b, /code: ./x}\n',
      ['num_nodes', 'resources.accelerators', 'resources.image_id', 'file_mounts.?', 'file_mounts./code'],
    ],
    [
      'type: service\nname: s\ncommands: [x]\nport: 8000\nauth: false\nvolumes: [v:/v]\nprivileged: true\nunheard_of: 1\n',
      ['auth', 'volumes', 'privileged', 'unheard_of'],
    ],
    ['type: dev-environment\nide: vscode\n', ['type', 'ide']],
  ];
  for (const [file, expected] of cases)
    assert.deepEqual(convert(file).needed.toSorted(), [...expected].toSorted(), file);
});

test('a script that needs bash runs in bash, keeps its stdin, and ends at a failure only where it did', () => {
  const sky = convert('run: |\n  [[ -n x ]] && echo yes\nnum_nodes: 1\n').job['run'];
  assert.match(
    String(sky),
    /^bash \/dev\/fd\/3 3<<'RINGFENCE_SCRIPT'\n\[\[ -n x \]\] && echo yes\nRINGFENCE_SCRIPT\n$/,
  );
  const stack = convert('type: task\ncommands: ["source a", "false"]\n').job['run'];
  assert.match(String(stack), /^bash -e \/dev\/fd\/3/);
});

test('files of our own are not taken for others’', () => {
  for (const file of [
    'name: a\nrun: x\n',
    'name: a\ntype: serve\nrun: x\nservice: {port: 8000, probe: /health}\nresources: {cpus: 1+}\n',
  ])
    assert.equal(convertJobFile(file, 'x'), undefined);
});

const WORDS = [
  'workspace',
  'job',
  'run',
  'commands',
  'type',
  'task',
  'service',
  'resources',
  'envs',
  'env',
  'secrets',
  'file_mounts',
  '/data',
  'image',
  'docker',
  'computing',
  'gpu',
  'accelerators',
  'probes',
  'replica_policy',
  'nodes',
  'num_nodes',
  'retry',
  'python',
  'name',
  'strange',
];
const word = fc.constantFrom(...WORDS);
const SECRET = 'hunter2-very-private';
const tree: fc.Memo<unknown> = fc.memo((depth) =>
  depth <= 1
    ? fc.constantFrom(SECRET, `${SECRET}=1`, '1', '', 'true', './x', '4..8')
    : fc.oneof(fc.array(tree(), { maxLength: 3 }), fc.dictionary(word, tree(), { maxKeys: 4 }), tree()),
);

test('whatever stands in a file, no value of it is told, an unknown key is named, and what is called whole is a job file', () => {
  fc.assert(
    fc.property(fc.dictionary(word, tree(3), { minKeys: 1, maxKeys: 6 }), (file) => {
      const converted = tryConvert(stringify({ ...file, num_nodes: '1' }));
      if (converted === undefined) return;
      const told = JSON.stringify([converted.left, converted.problems]);
      assert.ok(!told.includes(SECRET), told);
      if (converted.problems.length === 0) parseJobFile(converted.text);
      for (const key of Object.keys(file).filter((name) => name === 'strange'))
        assert.ok(converted.left.some(({ path, effect }) => path === key && effect === 'needed'));
    }),
    { numRuns: process.env['RINGFENCE_TEST_FULL'] === '1' ? 3_000 : 500 },
  );
});

function tryConvert(text: string): Converted | undefined {
  try {
    return convertJobFile(text, 'x');
  } catch (error) {
    if (error instanceof JobFileError) return undefined;
    throw error;
  }
}

test('a script that fetches is told to name its hosts, and a setup that reads variables is not taken', () => {
  const { left, needed } = convert('run: pip install x\nsetup: echo ${TOKEN} $PATH\nenvs: {TOKEN: a}\nnum_nodes: 1\n');
  assert.ok(left.some(({ path, effect }) => path === 'run' && effect === 'step'));
  assert.deepEqual(needed, ['setup.TOKEN']);
});
