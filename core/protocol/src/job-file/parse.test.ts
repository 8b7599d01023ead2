import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseJobFile } from './parse.ts';
import { JobFileError, type Problem } from './problem.ts';

const SIX_LINES = `name: readmission
run: python train.py --data /data --out /out
mounts: {/data: {dataset: admissions-2024}}
outputs: {/out: {artifact: readmission-model}}
resources: {cpus: 4, memory: 8GB}
setup: pip install -r requirements.txt
`;
const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;

function problemsOf(text: string): readonly Problem[] {
  try {
    parseJobFile(text);
  } catch (error) {
    assert.ok(error instanceof JobFileError, String(error));
    return error.problems;
  }
  return [];
}

describe('a job file that is right', () => {
  test('of six lines reads into units, with everything else at its default', () => {
    assert.deepEqual(parseJobFile(SIX_LINES), {
      name: 'readmission',
      type: 'train',
      run: 'python train.py --data /data --out /out',
      setup: 'pip install -r requirements.txt',
      root: { kind: 'site-default' },
      workdir: '.',
      mounts: [{ path: '/data', dataset: 'admissions-2024' }],
      outputs: [{ path: '/out', artifact: 'readmission-model' }],
      resources: {
        cpuMilli: { min: 4000, max: 4000 },
        memoryBytes: { min: 8e9, max: 8e9 },
        diskBytes: undefined,
        gpu: undefined,
        spot: undefined,
        maxPrice: undefined,
      },
      nodes: 1,
      env: {},
      identity: {},
      secrets: [],
      secretFiles: {},
      retry: { on: [], max: 0, checkpoint: undefined },
      onPartition: undefined,
      priority: 50,
      maxDurationMs: undefined,
      deadlineMs: undefined,
      budget: undefined,
      weights: undefined,
      notify: [],
      service: undefined,
      privacy: {
        sensitivity: undefined,
        tiers: undefined,
        residency: undefined,
        residencyDeny: undefined,
        require: undefined,
        evidenceGrade: undefined,
        evidenceMaxAgeDays: undefined,
        isolation: undefined,
        burst: undefined,
        customerKey: undefined,
        tee: undefined,
        egress: undefined,
        logs: undefined,
      },
      purpose: undefined,
      profile: undefined,
      federation: undefined,
    });
  });

  test('may use every field', () => {
    const file = parseJobFile(`
name: icu
type: serve
image: reg.example:5000/acme/serve:v2@${DIGEST}
workdir: ./src/
mounts: {/models/base: {dataset: base}}
outputs: {/out: {artifact: calls}}
purpose: research
profile: hospital-strict
resources: {cpus: 4+, memory: 8GB+, gpu: H100:80GB:1, disk: 50GB..100GiB, spot: auto, max_price: 12.5 USD}
nodes: 1
secrets: [HF_TOKEN]
on_partition: keep
priority: 0
max_duration: 6h
notify: {on: [failed, succeeded]}
service: {port: 8000, api: openai, replicas: 0..8, scaling: {metric: concurrency, target: 16}, probe: /health}
privacy:
  sensitivity: internal
  place: {tiers: [private], residency: [EU], residency_deny: [FR, US], require: [iso27001, hipaa-baa], evidence_grade: third-party, evidence_max_age: 90d}
  isolation: container
  burst: never
  customer_key: true
  tee: {require: [sev-snp, tdx], gpu: true}
  egress: [Mirror.example:443]
  logs: local
`);
    assert.deepEqual(file.root, { kind: 'image', reference: `reg.example:5000/acme/serve:v2@${DIGEST}` });
    assert.equal(file.run, undefined);
    assert.equal(file.workdir, 'src');
    assert.deepEqual(file.resources, {
      cpuMilli: { min: 4000, max: undefined },
      memoryBytes: { min: 8e9, max: undefined },
      diskBytes: { min: 50e9, max: 100 * 2 ** 30 },
      gpu: { model: 'H100', memoryBytes: { min: 80e9, max: 80e9 }, count: { min: 1, max: 1 } },
      spot: 'auto',
      maxPrice: { microUnits: 12_500_000, currency: 'USD' },
    });
    assert.deepEqual(file.service, {
      port: 8000,
      api: 'openai',
      replicas: { min: 0, max: 8 },
      scaling: { metric: 'concurrency', target: 16 },
      probe: '/health',
    });
    assert.deepEqual(file.privacy, {
      sensitivity: 'internal',
      tiers: ['private'],
      residency: ['EU'],
      residencyDeny: ['FR', 'US'],
      require: ['iso27001', 'hipaa-baa'],
      evidenceGrade: 'third-party',
      evidenceMaxAgeDays: 90,
      isolation: 'container',
      burst: 'never',
      customerKey: true,
      tee: { require: ['sev-snp', 'tdx'], gpu: true },
      egress: ['mirror.example:443'],
      logs: 'local',
    });
    const trained = parseJobFile('name: a\nrun: b\nretry: {on: [no-capacity, interruption, error], max: 5}\n');
    assert.deepEqual(trained.retry, { on: ['no-capacity', 'interruption', 'error'], max: 5, checkpoint: undefined });
    assert.equal(file.maxDurationMs, 6 * 3600e3);
    const bounded = parseJobFile(
      'name: a\nrun: b\ndeadline: 36h\nbudget: 20.5 EUR\nweights: {cost: 2, speed: 0.25, gravity: 0}\n',
    );
    assert.deepEqual(
      [bounded.deadlineMs, bounded.budget, bounded.weights],
      [36 * 3600e3, { microUnits: 20_500_000, currency: 'EUR' }, { cost: 2_000, speed: 250, gravity: 0 }],
    );
  });

  test('hands env values on as they are written', () => {
    const { env } = parseJobFile(`name: a
run: b
env: {LR: 1e-3, NO: no, HEX: 0x10, OCT: 0o7, NULL: ~, EMPTY: , BIG: 12345678901234567890, VERSION: 3.10, DATE: 2024-01-01, Q: "a\\tb", S: 'it''s', INF: .inf, T: True}
`);
    assert.deepEqual(env, {
      LR: '1e-3',
      NO: 'no',
      HEX: '0x10',
      OCT: '0o7',
      NULL: '~',
      EMPTY: '',
      BIG: '12345678901234567890',
      VERSION: '3.10',
      DATE: '2024-01-01',
      Q: 'a\tb',
      S: "it's",
      INF: '.inf',
      T: 'True',
    });
  });

  test('reads block scripts line by line and python: 3.10 without quotes', () => {
    const file = parseJobFile('name: a\npython: 3.10\nrun: |\n  set -e\n  true # yes\n');
    assert.equal(file.run, 'set -e\ntrue # yes\n');
    assert.deepEqual(file.root, { kind: 'python', version: '3.10' });
    assert.equal(parseJobFile('name: a\nrun: true\n').run, 'true');
  });
});

describe('a job file with several wrong fields', () => {
  const text = `nme: x
run: python train.py
type: tran
resources: {cpus: many, memroy: 8GB, spot: nevr}
privacy:
  sensitivity: pubic
  place:
    tiers: [private, comunity-cloud]
`;
  test('names all of them at once with path, line and nearest word', () => {
    assert.deepEqual(
      problemsOf(text).map(({ path, code, line, nearest }) => [path, code, line, nearest]),
      [
        ['nme', 'unknown-key', 1, 'name'],
        ['type', 'wrong-value', 3, 'train'],
        ['resources.cpus', 'wrong-value', 4, undefined],
        ['resources.memroy', 'unknown-key', 4, 'memory'],
        ['resources.spot', 'wrong-value', 4, 'never'],
        ['privacy.sensitivity', 'wrong-value', 6, 'public'],
        ['privacy.place.tiers[1]', 'wrong-value', 8, 'community-cloud'],
      ],
    );
  });
  test('says so in one message with a next step', () => {
    const error = new JobFileError(problemsOf(text));
    assert.equal(error.code, 'job-file-invalid');
    assert.ok(error.message.includes('7 problems:\n  line 1: nme: unknown key, did you mean name?\n'));
    assert.notEqual(error.next, undefined);
  });
  test('shows how a dataset is mounted where one is named without a path', () => {
    for (const wrong of ['mounts: [d]', 'mounts: {dataset: d}', 'mounts: {/data: d}', 'data: d', 'datasets: [d]']) {
      const [problem, ...more] = problemsOf(`name: a\nrun: b\n${wrong}\n`);
      assert.ok(problem?.message.includes('mounts: {/data: {dataset: NAME}}'), wrong);
      assert.deepEqual(more, [], wrong);
    }
  });
});

// [what is added to a good file, path, code]; the file below is otherwise right.
const WRONG: readonly [string, string, string][] = [
  ['name: -x', 'name', 'wrong-value'],
  ['name: a/b', 'name', 'wrong-value'],
  [`name: ${'a'.repeat(64)}`, 'name', 'wrong-value'],
  ['name: [a]', 'name', 'wrong-shape'],
  ['name:', 'name', 'empty'],
  ['setup: null', 'setup', 'empty'],
  ['setup: " "', 'setup', 'wrong-value'],
  ['setup: {a: b}', 'setup', 'wrong-shape'],
  ['image: acme/train', 'image', 'wrong-value'],
  ['image: acme/train:latest', 'image', 'wrong-value'],
  ['image: acme/train@sha256:abc', 'image', 'wrong-value'],
  [`image: acme/train@${DIGEST.toUpperCase()}`, 'image', 'wrong-value'],
  [`image: acme/../train@${DIGEST}`, 'image', 'wrong-value'],
  ['python: 2.7', 'python', 'wrong-value'],
  ['python: 3.12.1', 'python', 'wrong-value'],
  ['workdir: /abs', 'workdir', 'unsafe-path'],
  ['workdir: a/../..', 'workdir', 'unsafe-path'],
  ['workdir: ../x', 'workdir', 'unsafe-path'],
  ['workdir: ~/x', 'workdir', 'unsafe-path'],
  ['workdir: a//b', 'workdir', 'unsafe-path'],
  ['workdir: "a\\\\b"', 'workdir', 'unsafe-path'],
  ['mounts: {data: {dataset: d}}', 'mounts.data', 'unsafe-path'],
  ['mounts: {/: {dataset: d}}', 'mounts.?', 'reserved'],
  ['mounts: {/usr: {dataset: d}}', 'mounts./usr', 'reserved'],
  ['mounts: {/proc/self: {dataset: d}}', 'mounts./proc/self', 'reserved'],
  ['mounts: {/data/: {dataset: d}}', 'mounts.?', 'unsafe-path'],
  ['mounts: {//data: {dataset: d}}', 'mounts.?', 'unsafe-path'],
  ['mounts: {/data/../etc: {dataset: d}}', 'mounts./data/../etc', 'unsafe-path'],
  ['mounts: {/data/./x: {dataset: d}}', 'mounts./data/./x', 'unsafe-path'],
  ['mounts: {/data: {datset: d}}', 'mounts./data.datset', 'unknown-key'],
  ['mounts: {/data: {}}', 'mounts./data.dataset', 'missing'],
  ['mounts: {/data: d}', 'mounts./data', 'wrong-shape'],
  ['mounts: [/data]', 'mounts', 'wrong-shape'],
  ['mounts: {dataset: d}', 'mounts.dataset', 'wrong-shape'],
  ['datasets: [d]', 'datasets', 'unknown-key'],
  ['outputs: {/tmp/x: {artifact: d}}', 'outputs./tmp/x', 'reserved'],
  ['resources: {cpus: 0}', 'resources.cpus', 'out-of-range'],
  ['resources: {cpus: 8..4}', 'resources.cpus', 'out-of-range'],
  ['resources: {cpus: 4++}', 'resources.cpus', 'wrong-value'],
  ['resources: {cpus: 1..2..3}', 'resources.cpus', 'wrong-value'],
  ['resources: {memory: 8}', 'resources.memory', 'wrong-value'],
  ['resources: {memory: 1KB}', 'resources.memory', 'out-of-range'],
  ['resources: {gpu: H100:80GB:0}', 'resources.gpu', 'wrong-value'],
  ['resources: {gpu: H100:1:80GB}', 'resources.gpu', 'wrong-value'],
  ['resources: {max_price: 12.5}', 'resources.max_price', 'wrong-value'],
  ['resources: {max_price: $12.5}', 'resources.max_price', 'wrong-value'],
  ['resources: {max_price: 12.5 usd}', 'resources.max_price', 'wrong-value'],
  ['nodes: 2', 'nodes', 'not-yet'],
  ['nodes: 0', 'nodes', 'out-of-range'],
  ['env: [A]', 'env', 'wrong-shape'],
  ['env: {1A: x}', 'env.?', 'wrong-value'],
  ['env: {A-B: x}', 'env.A-B', 'wrong-value'],
  ['env: {__proto__: x}', 'env.?', 'wrong-value'],
  ['env: {RINGFENCE_JOB: x}', 'env.RINGFENCE_JOB', 'reserved'],
  ['env: {A: [x]}', 'env.A', 'wrong-shape'],
  ['env: {A: "x\\0y"}', 'env.A', 'out-of-range'],
  ['secrets: HF_TOKEN', 'secrets', 'secret-value'],
  ['secrets: {HF_TOKEN: hunter2}', 'secrets', 'secret-value'],
  ['secrets: [HF_TOKEN=hunter2]', 'secrets[0]', 'secret-value'],
  ['secrets: [{HF_TOKEN: hunter2}]', 'secrets[0]', 'secret-value'],
  ['secrets: [A, A]', 'secrets[1]', 'duplicate-key'],
  ['secrets: [A, {name: A, file: /run/secrets/a}]', 'secrets[1]', 'duplicate-key'],
  ['secrets: [{name: A, file: /run/secrets/a, value: hunter2}]', 'secrets[0]', 'secret-value'],
  ['secrets: [{name: A=hunter2, file: /run/secrets/a}]', 'secrets[0]', 'secret-value'],
  ['secrets: [{name: A}]', 'secrets[0]', 'secret-value'],
  ['secrets: [{name: A, file: /out/a}]', 'secrets[0].file', 'wrong-value'],
  ['secrets: [{name: A, file: /run/secrets/..}]', 'secrets[0].file', 'wrong-value'],
  ['secrets: [{name: A, file: /run/secrets/a/b}]', 'secrets[0].file', 'wrong-value'],
  ['secrets: [{name: A, file: "/run/secrets/a;b"}]', 'secrets[0].file', 'wrong-value'],
  ['secrets: [{name: 1A, file: /run/secrets/a}]', 'secrets[0].name', 'wrong-value'],
  ['secrets: []', 'secrets', 'out-of-range'],
  ['env: {A: AKIAIOSFODNN7EXAMPLE}', 'env.A', 'secret-value'],
  ['setup: curl https://me:hunter2@example.org/', 'setup', 'secret-value'],
  ['retry: {max: 3}', 'retry.on', 'missing'],
  ['retry: {on: [error], max: 100}', 'retry.max', 'out-of-range'],
  ['retry: {on: [error], checkpoint: ckpt}', 'retry.checkpoint', 'unsafe-path'],
  ['retry: {on: [error], checkpoint: /ckpt}', 'retry.checkpoint', 'contradiction'],
  ['on_partition: go', 'on_partition', 'wrong-value'],
  ['priority: 101', 'priority', 'out-of-range'],
  ['priority: -1', 'priority', 'wrong-value'],
  ['max_duration: 6', 'max_duration', 'wrong-value'],
  ['max_duration: 1ms', 'max_duration', 'out-of-range'],
  ['deadline: 30s', 'deadline', 'out-of-range'],
  ['deadline: tomorrow', 'deadline', 'wrong-value'],
  ['budget: 20', 'budget', 'wrong-value'],
  ['weights: {cost: 1000.5}', 'weights.cost', 'wrong-value'],
  ['weights: {coast: 1}', 'weights.coast', 'unknown-key'],
  ['notify: {on: [faild]}', 'notify.on[0]', 'wrong-value'],
  ['purpose: Research', 'purpose', 'wrong-value'],
  ['privacy: {place: {residency: [Germany]}}', 'privacy.place.residency[0]', 'wrong-value'],
  ['privacy: {place: {residency_deny: [usa]}}', 'privacy.place.residency_deny[0]', 'wrong-value'],
  ['privacy: {place: {residency_denied: [US]}}', 'privacy.place.residency_denied', 'unknown-key'],
  ['privacy: {customer_key: yes}', 'privacy.customer_key', 'wrong-value'],
  ['privacy: {place: {evidence_max_age: 12h}}', 'privacy.place.evidence_max_age', 'out-of-range'],
  ['privacy: {place: {tiers: []}}', 'privacy.place.tiers', 'out-of-range'],
  ['privacy: {tee: {require: [sgx]}}', 'privacy.tee.require[0]', 'wrong-value'],
  ['privacy: {tee: {require: [tdx], gpu: yes}}', 'privacy.tee.gpu', 'wrong-value'],
  ['privacy: {egress: ["*.example.org:443"]}', 'privacy.egress[0]', 'wrong-value'],
  ['constructor: x', 'constructor', 'unknown-key'],
  ['<<: {type: batch}', '', 'yaml-feature'],
];

// [what is added, path, code]: each field alone is right.
const CONTRADICTORY: readonly [string, string, string][] = [
  [`image: acme/train@${DIGEST}\npython: 3.12`, 'python', 'contradiction'],
  ['service: {port: 8000}', 'service', 'contradiction'],
  ['type: batch\nservice: {port: 8000}', 'service', 'contradiction'],
  ['type: serve', 'service', 'missing'],
  ['type: serve\nservice: {port: 8000, replicas: 0..8}', 'service.replicas', 'contradiction'],
  ['type: serve\nservice: {port: 3128}\nprivacy: {egress: ["a.example:443"]}', 'service.port', 'contradiction'],
  ['type: serve\nservice: {port: 8000}\nretry: {on: [error]}', 'retry', 'contradiction'],
  ['type: serve\nservice: {port: 8000, replicas: 0}', 'service.replicas', 'contradiction'],
  [
    'type: serve\nservice: {port: 8000, replicas: 2, scaling: {metric: concurrency, target: 1}}',
    'service.scaling',
    'contradiction',
  ],
  ['secrets: [{name: A, file: /run/secrets/a}, {name: B, file: /run/secrets/a}]', 'secrets[1]', 'contradiction'],
  ['secrets: [{name: A, file: /run/secrets/a}]\nprivacy: {isolation: process}', 'secrets[0]', 'contradiction'],
  ['mounts: {/out/data: {dataset: d}}', 'outputs./out', 'contradiction'],
  ['mounts: {/out: {dataset: d}}', 'outputs./out', 'contradiction'],
  ['mounts: {/a: {dataset: d}, /a/b: {dataset: e}}', 'mounts./a/b', 'contradiction'],
  ['outputs: {/a: {artifact: d}, /b: {artifact: d}}', 'outputs./b.artifact', 'contradiction'],
  ['env: {TOKEN: x}\nsecrets: [TOKEN]', 'secrets[0]', 'contradiction'],
  ['privacy: {sensitivity: restricted, burst: allowed}', 'privacy.burst', 'looser-than-label'],
  ['privacy: {sensitivity: restricted, logs: sealed}', 'privacy.logs', 'looser-than-label'],
  [
    'privacy: {sensitivity: restricted, place: {tiers: [private, secure-cloud]}}',
    'privacy.place.tiers[1]',
    'looser-than-label',
  ],
  ['privacy: {sensitivity: confidential, egress: ["a.example:443"]}', 'privacy.egress', 'looser-than-label'],
  ['privacy: {sensitivity: confidential, isolation: sandbox}', 'privacy.isolation', 'looser-than-label'],
  [
    'privacy: {sensitivity: internal, place: {evidence_grade: self-declared}}',
    'privacy.place.evidence_grade',
    'looser-than-label',
  ],
  ['privacy: {burst: allowed, place: {tiers: [private]}}', 'privacy.burst', 'contradiction'],
  ['type: serve\nservice: {port: 8000}\ndeadline: 6h', 'deadline', 'contradiction'],
  ['type: serve\nservice: {port: 8000}\nbudget: 6 EUR', 'budget', 'contradiction'],
  ['budget: 6 EUR\nresources: {max_price: 1 USD}', 'budget', 'contradiction'],
  ['privacy: {place: {residency: [US], residency_deny: [EU, US]}}', 'privacy.place.residency_deny', 'contradiction'],
  ['privacy: {isolation: process, place: {tiers: [secure-cloud]}}', 'privacy.isolation', 'contradiction'],
];

describe('one wrong thing', () => {
  for (const [added, path, code] of [...WRONG, ...CONTRADICTORY]) {
    test(`${added.replaceAll('\n', ' | ').slice(0, 80)} is ${code}`, () => {
      const base = { name: 'name: a', run: 'run: b', outputs: 'outputs: {/out: {artifact: model}}' };
      const kept = Object.entries(base).filter(([key]) => !new RegExp(`^${key}:`, 'm').test(added));
      const problems = problemsOf(`${kept.map(([, line]) => line).join('\n')}\n${added}\n`);
      assert.deepEqual(
        problems.map((problem) => [problem.path, problem.code]),
        [[path, code]],
      );
    });
  }
  test('run may be missing only when an image runs by itself', () => {
    assert.deepEqual(
      problemsOf('name: a\n').map(({ path, code }) => [path, code]),
      [['run', 'missing']],
    );
    assert.deepEqual(problemsOf(`name: a\nimage: acme/a@${DIGEST}\n`), []);
  });
  test('privacy settings that only tighten are no contradiction', () => {
    const good = [
      'on_partition: keep\ntype: batch',
      'privacy: {sensitivity: restricted, logs: local, burst: never, isolation: microvm, place: {tiers: [private]}}',
      'privacy: {tee: {require: [tdx]}, isolation: container}',
      'retry: {on: [error], checkpoint: /out/ckpt}\noutputs: {/out: {artifact: a}}',
      'type: federate\nfederation: {contract: a}\nmounts: {/data: {dataset: a}}\noutputs: {/out: {artifact: a}}',
      'type: compute',
    ];
    for (const added of good) assert.deepEqual(problemsOf(`name: a\nrun: b\n${added}\n`), [], added);
  });
});
