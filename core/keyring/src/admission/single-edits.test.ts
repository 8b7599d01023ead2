import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { epochMs, newId } from '@ringfence/base';
import type { Envelope } from '@ringfence/crypto/sign';
import { STATEMENTS, type StatementBody } from '@ringfence/protocol/statements';
import { HOUR_MS } from '../sample-organisation.fixture.ts';
import { readStatement, signStatement } from '../statement.ts';
import { refusalOf, type Check } from './checks.ts';
import { checkGrant } from './grant.ts';
import { checkLease } from './lease.ts';
import { PLACEMENT, SampleHouse, SampleStart, withField, type Edit, type StartName } from './sample-start.fixture.ts';

const house = new SampleHouse('edits');
const other = new SampleHouse('edits of others');
const secondDevice = house.sample.addDevice();
const secondAgent = house.sample.addAgent();
const secondCustodian = house.sample.addCustodian();
const sampleStart = new SampleStart(house);
const { rng, now } = house.sample;
const context = house.context();
const late = epochMs(now + 3 * HOUR_MS);
const past = epochMs(now - 1);
const digest = 'ab'.repeat(32);

/** The checks that fail, in order; none when lease and grant are admitted. */
function judge(start: ReturnType<SampleStart['start']>): readonly Check[] {
  const decision = checkLease(start, context);
  if (!decision.allow) return decision.reasons;
  const granted = checkGrant(start.grant, decision.admission, context);
  return granted.allow ? [] : granted.reasons;
}

type Row = readonly [path: string, value: unknown, ...checks: Check[]];
/**
 * Every field of every statement with another well-formed value, re-signed by its own signer and named as edited by all that
 * comes after: what is left to object is that one field. Rows without a check are a signer's own affair.
 */
const ROWS: Readonly<Record<'label' | 'job' | 'receipt' | 'lease' | 'grant', readonly Row[]>> = {
  label: [
    ['org', other.sample.org, 'label-org'],
    ['job', newId('job', rng), 'label-job'],
    ['custodian', secondCustodian.id, 'label-signature'],
    ['custodian', newId('custodian', rng), 'label-signature'],
    ['sensitivity', 'restricted', 'placement-looser-than-label'],
    ['sensitivity', 'confidential', 'placement-looser-than-label', 'receipt-isolation'],
    ['sensitivity', 'public'],
    ['residency', ['FR'], 'placement-looser-than-label', 'agent-residency'],
    ['residency', []],
    ['acceptProviderPlaintext', true],
    ['profile', digest],
    ['at', late, 'label-not-yet'],
    ['at', past],
    ['notAfter', now, 'label-expired'],
  ],
  job: [
    ['org', other.sample.org, 'job-org'],
    ['project', newId('project', rng)],
    ['job', newId('job', rng), 'label-job', 'receipt-job', 'lease-job'],
    ['device', secondDevice.id, 'job-signature'],
    ['device', newId('device', rng), 'job-device'],
    ['type', 'serve', 'placement-type'],
    ['at', late, 'job-not-yet'],
    ['at', past],
    ['expires', now, 'job-expired'],
    ['maxAttempts', 1, 'attempt-beyond-maximum'],
    ['maxAttempts', 2],
    ['replicas', 2],
    ['constraintDigest', digest, 'placement-digest', 'receipt-constraint-digest'],
    ['payloadDigest', digest, 'grant-payload-digest'],
    ['labelDigest', digest, 'label-digest'],
  ],
  receipt: [
    ['org', other.sample.org, 'receipt-org'],
    ['job', newId('job', rng), 'receipt-job'],
    ['attempt', 3, 'receipt-attempt'],
    ['controlPlane', other.controlPlane.id, 'receipt-control-plane'],
    ['jobDigest', digest, 'receipt-job-digest'],
    ['constraintDigest', digest, 'receipt-constraint-digest'],
    ['labelDigest', digest, 'receipt-label-digest'],
    ['inventoryEpoch', 8],
    ['considered', 6, 'receipt-counts'],
    ['considered', 7],
    ['refused.0.constraint', 'residency', 'receipt-counts'],
    ['refused.0.constraint', 'memory'],
    ['refused.0.count', 8, 'receipt-counts'],
    ['feasible', 3, 'receipt-counts'],
    ['feasible', 4],
    ['score', { cost: 0, speed: 1, reliability: 0, gravity: 0 }],
    ['price', { microUnits: 1, currency: 'USD' }],
    ['lossEvery', 3],
    ['budget', { period: 1, reserved: 1, currency: 'EUR' }],
    ['evidence', [{ digest, notAfter: late }]],
    ['evidenceUntil', late],
    ['policyDigest', digest],
    ['chosen.offer', newId('offer', rng)],
    ['chosen.agent', secondAgent.id, 'receipt-agent'],
    ['chosen.tier', 'secure-cloud', 'receipt-tier'],
    ['chosen.isolation', 'process', 'receipt-isolation', 'receipt-process'],
    ['chosen.isolation', 'container', 'grant-isolation'],
    ['chosen.isolation', 'tee', 'tee-not-appraised'],
    ['at', late, 'receipt-not-yet'],
    ['at', past],
  ],
  lease: [
    ['org', other.sample.org, 'lease-org'],
    ['job', newId('job', rng), 'lease-job'],
    ['attempt', 1, 'receipt-attempt', 'attempt-not-new'],
    ['attempt', 3, 'receipt-attempt'],
    ['attempt', 6, 'receipt-attempt', 'attempt-beyond-maximum'],
    ['agent', secondAgent.id, 'lease-agent'],
    ['controlPlane', other.controlPlane.id, 'lease-control-plane'],
    ['jobDigest', digest, 'lease-job-digest'],
    ['receiptDigest', digest, 'lease-receipt-digest'],
    ['term', 5],
    ['ttlMs', 60_000],
    ['at', late, 'lease-not-yet'],
    ['at', past],
    ['notAfter', now, 'lease-expired'],
  ],
  grant: [
    ['org', other.sample.org, 'grant-org'],
    ['job', newId('job', rng), 'grant-job'],
    ['attempt', 3, 'grant-attempt'],
    ['agent', secondAgent.id, 'grant-agent'],
    ['custodian', secondCustodian.id, 'grant-signature'],
    ['jobDigest', digest, 'grant-job-digest'],
    ['leaseDigest', digest, 'grant-lease-digest'],
    ['receiptDigest', digest, 'grant-receipt-digest'],
    ['labelDigest', digest, 'grant-label-digest'],
    ['payloadDigest', digest, 'grant-payload-digest'],
    ['isolation', 'process', 'grant-isolation'],
    ['isolation', 'microvm', 'grant-isolation'],
    ['policy', digest],
    ['epoch', 2, 'grant-epoch'],
    ['epoch', 4],
    ['at', late, 'grant-not-yet'],
    ['at', past],
    ['notAfter', now, 'grant-expired'],
  ],
};
const edited = (name: StartName, path: string, value: unknown): Edit => ({
  [name]: (body: StatementBody<StartName>) => withField(body, path.split('.'), value),
});

describe('one field edited, and signed again by its own signer', () => {
  for (const [name, rows] of Object.entries(ROWS) as [keyof typeof ROWS, readonly Row[]][]) {
    for (const [path, value, ...checks] of rows) {
      it(`${name}.${path} = ${String(value).slice(0, 12)}: ${checks.join(', ') || 'its affair'}`, () => {
        assert.deepEqual(judge(sampleStart.start(edited(name, path, value))), checks);
      });
    }

    it(`${name}: no field was forgotten`, () => {
      const listed = new Set(rows.map(([path]) => path.split('.')[0]));
      const fields = Object.keys(STATEMENTS[name].shape).filter((field) => field !== 'v');
      assert.deepEqual(
        fields.filter((field) => !listed.has(field)),
        [],
      );
    });
  }
});

describe('one field edited, under the signature it had', () => {
  it('is refused for every row, by the signature of that statement', () => {
    const honest = sampleStart.sign();
    for (const [name, rows] of Object.entries(ROWS) as [keyof typeof ROWS, readonly Row[]][]) {
      for (const [path, value] of rows) {
        const { payload } = sampleStart.sign(edited(name, path, value))[name];
        if (payload === honest[name].payload) continue;
        const forged: Envelope = { ...honest[name], payload };
        const reasons = judge({ ...honest, [name]: forged, placement: sampleStart.placement });
        const unknown = name === 'job' && path === 'device' && value !== secondDevice.id;
        assert.deepEqual(reasons, [unknown ? 'job-device' : `${name}-signature`], `${name}.${path}`);
      }
    }
  });

  it('is refused for every byte of every payload', () => {
    const honest = sampleStart.sign();
    for (const name of Object.keys(ROWS) as (keyof typeof ROWS)[]) {
      const payload = Buffer.from(honest[name].payload, 'base64');
      for (let at = 0; at < payload.length; at += 1) {
        const changed = Buffer.from(payload);
        changed.writeUInt8(payload.readUInt8(at) ^ 1, at);
        const forged = { ...honest[name], payload: changed.toString('base64') };
        const reasons = judge({ ...honest, [name]: forged, placement: sampleStart.placement });
        assert.ok(reasons.length === 1 && reasons[0]?.startsWith(name), `${name} at ${at}: ${reasons.join()}`);
      }
    }
  });
});

describe('one field of the placement edited', () => {
  it('is refused as edited constraints, whichever it is', () => {
    const edits: [string, unknown][] = [
      ['v', 2],
      ['type', 'serve'],
      ['resources.cpuMilli', 1],
      ['resources.memoryBytes', 1],
      ['resources.diskBytes', 1],
      ['resources.hardLimits', false],
      ['resources.gpus', { memoryBytes: 0, count: 1 }],
      ['tiers', ['private']],
      ['residency', ['DE', 'FR']],
      ['residency', []],
      ['isolation', 'process'],
      ['isolation', 'container'],
      ['tees', ['tdx']],
      ['evidence', undefined],
      ['evidence.grade', 'self-declared'],
      ['evidence.require', ['soc2']],
      ['evidence.maxAgeDays', 91],
      ['egress', 'declared'],
      ['burst', 'never'],
      ['onPartition', 'keep'],
      ['spot', 'only'],
      ['maxPrice', undefined],
      ['maxPrice.microUnits', 1],
      ['priority', 51],
      ['maxDurationMs', 3_600_001],
    ];
    for (const [path, value] of edits) {
      const placement = withField(PLACEMENT, path.split('.'), value) as typeof PLACEMENT;
      const reasons = judge(sampleStart.start({}, placement));
      assert.equal(reasons[0], 'placement-digest', path);
      assert.equal(refusalOf(reasons), 'constraints-edited');
    }
    const listed = new Set(edits.map(([path]) => path.split('.')[0]));
    assert.deepEqual(
      Object.keys(PLACEMENT).filter((field) => !listed.has(field)),
      [],
    );
  });
});

describe('one statement signed by somebody else', () => {
  it('is refused whoever that is', () => {
    const { sample, controlPlane, custodian, device, agent } = house;
    const keys = [
      sample.root,
      ...sample.recovery,
      device.sign,
      secondDevice.sign,
      custodian.sign,
      custodian.enrolment,
      secondCustodian.enrolment,
      agent.sign,
      secondAgent.sign,
      controlPlane.root,
      controlPlane.frames,
      controlPlane.leases,
      other.controlPlane.leases,
      other.custodian.enrolment,
    ];
    for (const name of Object.keys(ROWS) as (keyof typeof ROWS)[]) {
      for (const key of keys.filter((candidate) => candidate !== house.signerOf(name))) {
        const signed = sampleStart.sign();
        const body = readStatement(name, signed[name]).claimed;
        const forged = signStatement(name, body, [key]);
        const reasons = judge({ ...signed, [name]: forged, placement: sampleStart.placement });
        assert.deepEqual(reasons, [`${name}-signature`]);
      }
    }
  });
});
