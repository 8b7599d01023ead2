import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { epochMs, newId, toBase64Url } from '@ringfence/base';
import { statementDigest, type Envelope, type SigningKey } from '@ringfence/crypto/sign';
import type { ProfileStatement } from '@ringfence/protocol/statements';
import { HOUR_MS } from '../sample-organisation.fixture.ts';
import { signStatement } from '../statement.ts';
import { checkLease } from './lease.ts';
import { checkGrantedProfile, openPolicy, openProfile } from './rules.ts';
import { SampleHouse, SampleStart } from './sample-start.fixture.ts';

const house = new SampleHouse('rules');
const { sample, device } = house;
const officer = sample.addDevice('officer');
const { rng, now } = sample;

function profile(change: Partial<ProfileStatement> = {}, key: SigningKey = officer.sign): Envelope {
  const body: ProfileStatement = {
    v: 1,
    org: sample.org,
    salt: toBase64Url(rng.bytes(32)),
    seq: 1,
    at: now,
    device: officer.id,
    name: 'hospital-strict',
    requirements: { isolation: 'sandbox', residency: ['EU'] },
  };
  return signStatement('profile', { ...body, ...change }, [key]);
}

function policy(keys: readonly SigningKey[], org = sample.org): Envelope {
  const body = { v: 1, org, salt: toBase64Url(rng.bytes(32)), seq: 1, at: now, cedar: '' } as const;
  return signStatement('policy', body, keys);
}

describe('a profile', () => {
  const judge = (envelope: Envelope, keyring = sample.keyring): readonly string[] => {
    const opened = openProfile(envelope, { keyring, now });
    return opened.allow ? [] : opened.reasons;
  };

  it('counts when the officer that it names signed it, and is one', () => {
    assert.deepEqual(judge(profile()), []);
    assert.deepEqual(judge(profile({}, device.sign)), ['signature']);
    assert.deepEqual(judge(profile({ device: device.id }, device.sign)), ['signature'], 'no officer');
    assert.deepEqual(judge(profile({}, sample.root)), ['signature']);
    assert.deepEqual(judge(profile({ org: newId('org', rng) })), ['org']);
    assert.deepEqual(judge(profile({ at: epochMs(now + HOUR_MS) })), ['not-yet']);
    assert.deepEqual(judge(policy([officer.sign])), ['malformed']);
  });
});

describe('an organisation policy', () => {
  it('counts when one officer of one, or two of several, signed it', () => {
    const fresh = new SampleHouse('policy');
    const one = fresh.sample.addDevice('officer');
    const judge = (keys: readonly SigningKey[]) => {
      const opened = openPolicy(policy(keys, fresh.sample.org), { keyring: fresh.sample.keyring, now });
      return opened.allow ? [] : opened.reasons;
    };
    assert.deepEqual(judge([one.sign]), []);
    assert.deepEqual(judge([fresh.device.sign]), ['signature']);
    const two = fresh.sample.addDevice('officer');
    assert.deepEqual(judge([one.sign]), ['signature']);
    assert.deepEqual(judge([one.sign, one.sign]), ['signature']);
    assert.deepEqual(judge([one.sign, fresh.device.sign]), ['signature']);
    assert.deepEqual(judge([one.sign, two.sign]), []);
  });
});

describe('a profile that came with a grant', () => {
  const named = profile();
  const sampleStart = new SampleStart(house);
  const admitted = (digest = statementDigest(named)) => {
    const start = sampleStart.start({ label: (body) => ({ ...body, profile: digest }) });
    const decision = checkLease(start, house.context());
    return decision.allow ? decision.admission : assert.fail(decision.reasons.join());
  };
  const judge = (envelope: Envelope | undefined, admission = admitted()) => {
    const checked = checkGrantedProfile(envelope, admission, sampleStart.workload);
    return checked.allow ? [] : checked.reasons;
  };

  it('is the one that the label names', () => {
    assert.deepEqual(judge(named), []);
    assert.deepEqual(judge(undefined), ['profile-differs']);
    assert.deepEqual(judge(profile()), ['profile-differs'], 'the same words under another salt');
    const plain = checkLease(sampleStart.start(), house.context());
    assert.ok(plain.allow);
    assert.deepEqual(judge(undefined, plain.admission), []);
    assert.deepEqual(judge(named, plain.admission), ['profile-differs']);
    const gone = profile({ requirements: null });
    assert.deepEqual(judge(gone, admitted(statementDigest(gone))), ['profile-differs']);
  });

  it('is held against placement, label and workload', () => {
    const strict = profile({ requirements: { isolation: 'container' } });
    assert.deepEqual(judge(strict, admitted(statementDigest(strict))), ['profile-looser']);
    const quiet = profile({ requirements: { logs: 'local', egress: [] } });
    assert.deepEqual(judge(quiet, admitted(statementDigest(quiet))), []);
    const chatty = { ...sampleStart.workload, logs: 'sealed' as const };
    const checked = checkGrantedProfile(quiet, admitted(statementDigest(quiet)), chatty);
    assert.deepEqual(checked, { allow: false, reasons: ['profile-looser'] });
  });
});
