import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { statefulIsAuthorized } from '@cedar-policy/cedar-wasm/nodejs';
import { newId, seededRng, toBase64Url } from '@ringfence/base';
import { SAMPLE_PLACEMENT } from '@ringfence/protocol/samples';
import type { Workload } from '@ringfence/protocol/payload';
import fc from 'fast-check';
import {
  compileJobPolicy,
  jobPolicyFaults,
  NOT_EVALUATED,
  type JobPlace,
  type JobPolicy,
  type JobQuestion,
} from './index.ts';
import { jobPolicySchema } from './job-policy-schema.ts';

const rng = seededRng('job policy');
const digest = `sha256:${'ab'.repeat(32)}`;

const workload: Workload = {
  v: 1,
  salt: toBase64Url(rng.bytes(32)),
  name: 'readmission',
  run: 'python train.py',
  image: `registry.example.org/acme/train@${digest}` as Workload['image'],
  env: {},
  secrets: ['HF_TOKEN'],
  mounts: [{ path: '/data', dataset: 'admissions' }],
  outputs: [],
  resources: SAMPLE_PLACEMENT.resources,
  isolation: 'container',
  maxDurationMs: 3_600_000,
  stopGraceMs: 0,
  logs: 'sealed',
  purpose: 'research',
};
const place: JobPlace = {
  tier: 'secure-cloud',
  isolation: 'gvisor',
  jurisdictions: ['DE', 'US'],
  site: newId('site', rng),
  agent: newId('agent', rng),
  provider: newId('provider', rng),
  price: { microUnits: 2_000_000, currency: 'EUR' },
};
const question: JobQuestion = {
  device: newId('device', rng),
  roles: ['ml-engineer'],
  job: newId('job', rng),
  sensitivity: 'confidential',
  placement: {
    ...SAMPLE_PLACEMENT,
    tiers: ['private', 'secure-cloud'],
    residency: ['EU'],
    isolation: 'container',
    maxPrice: { microUnits: 3_000_000, currency: 'EUR' },
    maxDurationMs: 3_600_000,
  },
  workload,
  profile: 'hospital-strict',
};

function compiled(text: string): JobPolicy {
  const result = compileJobPolicy(text);
  return 'policy' in result ? result.policy : assert.fail(result.faults.join());
}

const forbid = (condition: string, id = 'rule'): string =>
  `@id("${id}") forbid (principal, action == Action::"job:run", resource) when { ${condition} };`;

function judged(condition: string, change: Partial<JobQuestion> = {}): readonly string[] {
  const decision = compiled(forbid(condition)).judge({ ...question, ...change });
  return decision.allow ? [] : decision.reasons;
}

/** Every attribute that a policy can ask of a job. */
function jobAttributes(): string[] {
  const job = jobPolicySchema()['']?.entityTypes['Job'];
  assert.ok(job !== undefined && 'shape' in job && job.shape !== undefined && 'attributes' in job.shape);
  return Object.keys(job.shape.attributes).toSorted();
}

describe('an organisation policy', () => {
  it('forbids by each attribute of job, device and place, and by what is said nowhere forbids nothing', () => {
    const holding: Readonly<Record<string, string>> = {
      name: 'resource.name == "readmission"',
      type: `resource.type == "${SAMPLE_PLACEMENT.type}"`,
      sensitivity: 'resource.sensitivity == "confidential"',
      sensitivityLevel: 'resource.sensitivityLevel >= 2',
      residency: 'resource.residency.contains("EU")',
      tiers: 'resource.tiers.contains("secure-cloud")',
      isolation: 'resource.isolation == "container"',
      isolationLevel: 'resource.isolationLevel < 3',
      burst: `resource.burst == "${SAMPLE_PLACEMENT.burst}"`,
      spot: `resource.spot == "${SAMPLE_PLACEMENT.spot}"`,
      logs: 'resource.logs == "sealed"',
      egress: 'resource.egress.isEmpty()',
      datasets: 'resource.datasets.contains("admissions")',
      secrets: 'resource.secrets.contains("HF_TOKEN")',
      customerKey: '!resource.customerKey',
      gpus: 'resource.gpus < 100',
      priority: `resource.priority == ${SAMPLE_PLACEMENT.priority}`,
      maxDurationSeconds: 'resource.maxDurationSeconds == 3600',
      image: `resource has image && resource.image like "*@${digest}"`,
      purpose: 'resource has purpose && resource.purpose == "research"',
      profile: 'resource has profile && resource.profile == "hospital-strict"',
      maxPrice: 'resource has maxPrice && resource.maxPrice.microUnits > 2000000',
      budget: '!(resource has budget)',
    };
    assert.deepEqual(Object.keys(holding).toSorted(), jobAttributes());
    for (const [attribute, condition] of Object.entries(holding)) {
      assert.deepEqual(judged(condition), ['rule'], attribute);
      assert.deepEqual(judged(`!(${condition})`), [], attribute);
    }
    assert.deepEqual(judged('principal.roles.contains("ml-engineer")'), ['rule']);
    assert.deepEqual(judged('principal.roles.contains("owner")'), []);
  });

  it('forbids by the place once it is known', () => {
    for (const condition of [
      'context.place.tier == "secure-cloud"',
      'context.place.isolationLevel == 3',
      'context.place.isolation == "gvisor"',
      '!["DE", "FR"].containsAll(context.place.jurisdictions)',
      `context.place.site == "${place.site}"`,
      `context.place.agent == "${place.agent}"`,
      `context.place has provider && context.place.provider == "${place.provider}"`,
      'context.place has price && context.place.price.microUnits > 1000000',
    ]) {
      assert.deepEqual(judged(`context has place && ${condition}`, { place }), ['rule'], condition);
      assert.deepEqual(judged(`context has place && ${condition}`), [], condition);
      assert.deepEqual(judged(`context has place && !(${condition})`, { place }), [], condition);
    }
  });

  it('names every policy that forbids, and allows where there is none', () => {
    const both = compiled(`${forbid('resource.logs == "sealed"', 'b')}\n${forbid('true', 'a')}`);
    assert.deepEqual(both.judge(question), { allow: false, reasons: ['a', 'b'] });
    assert.deepEqual(compiled('').judge(question), { allow: true });
    assert.deepEqual(compiled('// nothing yet\n').judge(question), { allow: true });
  });

  it('stays itself, however many there are besides', () => {
    const many = Array.from({ length: 40 }, (_, index) => compiled(forbid('true', `p${index}`)));
    for (const _ of [1, 2])
      for (const [index, policy] of many.entries())
        assert.deepEqual(policy.judge(question), { allow: false, reasons: [`p${index}`] });
  });

  it('is kept parsed by Cedar under few names, however many are made, and under none when it is only checked', () => {
    const isKept = (name: string): boolean =>
      statefulIsAuthorized({
        principal: { type: 'Device', id: question.device },
        action: { type: 'Action', id: 'job:run' },
        resource: { type: 'Job', id: question.job },
        context: {},
        preparsedPolicySetId: name,
        entities: [],
      }).type === 'success';
    const kept = (): number =>
      Array.from({ length: 200 }, (_, index) => `ringfence-jobs-${index}`).filter(isKept).length;
    for (let index = 0; index < 100; index += 1) compiled(forbid('true', `p${index}`)).judge(question);
    assert.equal(kept(), 8);
    for (let index = 0; index < 20; index += 1) assert.deepEqual(jobPolicyFaults(forbid('true', `q${index}`)), []);
    assert.equal(kept(), 8);
  });

  it('can only forbid, and has to be of the declared form', () => {
    const faults = (text: string): string => {
      const result = compileJobPolicy(text);
      return 'faults' in result ? result.faults.join('; ') : '';
    };
    assert.match(faults('@id("a") permit (principal, action, resource);'), /policy a permits/);
    assert.match(faults(`${forbid('true', 'a')} @id("b") permit (principal, action, resource);`), /policy b permits/);
    assert.match(faults('forbid (principal, action, resource);'), /policy 1 needs an @id/);
    for (const id of ['', 'No Spaces', 'built-in', 'x'.repeat(41)])
      assert.match(faults(forbid('true', id)), /needs an @id/, id);
    assert.match(faults(`${forbid('true')} ${forbid('true')}`), /two policies have one @id/);
    assert.match(faults('@id("a") forbid (principal == ?principal, action, resource);'), /template/);
    for (const condition of [
      'resource.unknown == 1',
      'resource.image == "a"',
      'context.place.tier == "private"',
      'resource.priority == "high"',
      'resource.type == "train" && action == Action::"job:stop"',
    ])
      assert.notEqual(faults(forbid(condition)), '', condition);
    assert.notEqual(faults('forbid ('), '');
  });

  it('is what docs/policy.md shows', () => {
    const page = readFileSync(new URL('../../../../docs/policy.md', import.meta.url), 'utf8');
    const policy = compiled(/^```cedar policy\n([\s\S]*?)^```$/m.exec(page)?.[1] ?? assert.fail());
    const { profile: _, ...bare } = question;
    assert.deepEqual(policy.judge(bare), { allow: false, reasons: ['confidential-needs-profile'] });
    const forbidden = (at: Partial<JobPlace>): readonly string[] => {
      const decision = policy.judge({ ...question, place: { ...place, ...at } });
      return decision.allow ? [] : decision.reasons;
    };
    const price = (microUnits: number): Pick<JobPlace, 'price'> => ({ price: { microUnits, currency: 'EUR' } });
    assert.deepEqual(forbidden({ tier: 'private' }), []);
    assert.deepEqual(forbidden(price(20_000_000)), ['admissions-at-home']);
    assert.deepEqual(forbidden(price(20_000_001)), ['admissions-at-home', 'no-dear-machines']);
    assert.deepEqual(forbidden({ price: undefined }), ['admissions-at-home', 'no-dear-machines']);
    const named = [...page.matchAll(/`(?:context\.place\.)?([a-zA-Z]+)`\??/g)].map(([, name]) => name);
    for (const attribute of jobAttributes()) assert.ok(named.includes(attribute), attribute);
  });

  it('that cannot be evaluated is a no', () => {
    const overflow = forbid('resource.priority * 9223372036854775807 > 1');
    const decision = compiled(overflow).judge({ ...question, placement: { ...question.placement, priority: 2 } });
    assert.deepEqual(decision, { allow: false, reasons: [NOT_EVALUATED] });
  });

  it('treats any text as a policy or says what is wrong with it', () => {
    const word = fc.constantFrom(
      'permit',
      'forbid',
      '(',
      ')',
      'principal',
      ',',
      'action',
      'resource',
      ';',
      '@id("a")',
      '"',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(word, { maxLength: 12 }).map((parts) => parts.join(' ')),
        ),
        (text) => {
          const result = compileJobPolicy(text);
          assert.ok('policy' in result || result.faults.length > 0);
        },
      ),
      { numRuns: 300 },
    );
  });
});
