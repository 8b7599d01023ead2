import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseAgentConfig } from './config.ts';

const RUN = ['run', '--state', 's'];
const JOIN = ['join', '--state', 's'];

describe('the configuration', () => {
  it('leaves the journal as it is where it is told to', () => {
    const config = parseAgentConfig([...RUN, '--journal-compress', 'never', '--journal-keep', '400d'], {});
    assert.ok(config !== 'help' && config.verb === 'run');
    assert.deepEqual(config.retention, { packAfter: undefined, keepFor: 400 * 86_400_000 });
  });

  it('of a bare run has the defaults that the documentation names', () => {
    const config = parseAgentConfig(RUN, {});
    assert.ok(config !== 'help' && config.verb === 'run');
    assert.deepEqual(config.admin, { host: '127.0.0.1', port: 0 });
    assert.deepEqual([config.cacheBytes, config.logBytes, config.logQuota], [5e9, 64e6, 5e9]);
    assert.deepEqual(config.retention, { packAfter: 90 * 86_400_000, keepFor: undefined });
    assert.equal(config.stopWithin, 6_000);
    assert.deepEqual([config.logLevel, config.jurisdictions, config.fault], ['info', [], undefined]);
  });

  it('comes from flags, then from the environment', () => {
    const env = {
      RINGFENCE_STATE: 'e',
      RINGFENCE_ADMIN: '[::1]:9',
      RINGFENCE_JURISDICTION: 'DE,EU',
      RINGFENCE_LOG_SIZE: '1MB',
    };
    const config = parseAgentConfig(['run', '--log-size', '2MB'], env);
    assert.ok(config !== 'help' && config.verb === 'run');
    assert.equal(config.state, 'e');
    assert.deepEqual(config.admin, { host: '::1', port: 9 });
    assert.deepEqual(config.jurisdictions, ['DE', 'EU']);
    assert.deepEqual([config.setupMirrors, config.egressAllowLocal], [[], []]);
    assert.equal(config.logBytes, 2e6);
  });

  it('takes the terms of an offer, and says none where none are said', () => {
    const terms = (...args: string[]) => {
      const config = parseAgentConfig([...RUN, ...args], {});
      return config !== 'help' && config.verb === 'run' && config.terms;
    };
    assert.deepEqual(terms(), {});
    assert.deepEqual(terms('--region', 'eu-west-1', '--price', '1.20EUR', '--spot'), {
      region: 'eu-west-1',
      price: { microUnits: 1_200_000, currency: 'EUR' },
      spot: true,
    });
    for (const price of ['-1EUR', '1e9EUR', 'NaN EUR', '1', '1.2345678EUR', '9999999EUR', 'EUR'])
      assert.throws(() => terms(`--price=${price}`), { code: 'bad-config' }, price);
    assert.throws(() => terms('--region', 'EU West'), { code: 'bad-config' });
  });

  it('has roots of data for one organisation each, or for the only one', () => {
    const org = `org_${'a'.repeat(26)}`;
    const config = parseAgentConfig([...RUN, '--data-root', '/srv/a=b', '--data-root', `${org}=/srv/c`], {});
    assert.ok(config !== 'help' && config.verb === 'run');
    assert.deepEqual(config.dataRoots, [
      { org: undefined, path: '/srv/a=b' },
      { org, path: '/srv/c' },
    ]);
    for (const value of ['org_x=/srv', `${org}=/`, '=/srv', 'srv'])
      assert.throws(() => parseAgentConfig([...RUN, '--data-root', value], {}), { code: 'bad-config' }, value);
  });

  it('lets jobs run without a sandbox only where it is said in so many words', () => {
    const allows = (args: string[], env: Record<string, string> = {}): boolean => {
      const config = parseAgentConfig(args, env);
      return config !== 'help' && config.verb === 'join' && config.allowProcess;
    };
    assert.ok(!allows(JOIN));
    assert.ok(!allows(JOIN, { RINGFENCE_ALLOW_PROCESS: '0' }));
    assert.ok(!allows(JOIN, { RINGFENCE_ALLOW_PROCESS: 'true' }));
    assert.ok(allows(JOIN, { RINGFENCE_ALLOW_PROCESS: '1' }));
    assert.ok(allows([...JOIN, '--allow-process']));
  });
});

const WRONG: Readonly<Record<string, { args: readonly string[]; message: RegExp }>> = {
  'no verb': { args: ['--state', 's'], message: /join or run/ },
  'another verb': { args: ['launch', '--state', 's'], message: /join or run/ },
  'a code as an argument': { args: [...JOIN, 'rfj1.secret'], message: /join or run/ },
  'an unknown flag': { args: [...RUN, '--cach-size', '1GB'], message: /--cach-size/ },
  'no state folder': { args: ['run'], message: /--state is missing/ },
  'an empty state folder': { args: ['run', '--state', ''], message: /--state is missing/ },
  'a flag of join at run': { args: [...RUN, '--allow-process'], message: /--allow-process does not belong to run/ },
  'a flag of run at join': { args: [...JOIN, '--work', 'w'], message: /--work does not belong to join/ },
  'a quota of logs that holds no two of them': {
    args: [...RUN, '--log-quota', '100MB'],
    message: /--log-quota is less than twice --log-size/,
  },
  'a mirror without a port': {
    args: [...RUN, '--setup-mirror', 'pypi.org'],
    message: /--setup-mirror is not HOST:PORT/,
  },
  'an address without a port': { args: [...RUN, '--admin', 'localhost'], message: /--admin is not HOST:PORT/ },
  'a port that is none': { args: [...JOIN, '--lan', '10.0.0.5:65536'], message: /--lan is not HOST:PORT/ },
  'a size that is none': { args: [...RUN, '--cache-size', 'much'], message: /--cache-size is not a size/ },
  'a size without room for a line': { args: [...RUN, '--log-size', '10'], message: /--log-size is not a size/ },
  'a time that is none': { args: [...RUN, '--reconnect-within', 'soon'], message: /--reconnect-within/ },
  'a time too long': { args: [...RUN, '--reconnect-within', '1h'], message: /--reconnect-within/ },
  'a country that is none': { args: [...RUN, '--jurisdiction', 'Germany'], message: /--jurisdiction is not a country/ },
  'a user id that is none': { args: [...RUN, '--first-job-uid', '-1'], message: /first-job-uid/ },
  'a level that is none': { args: [...RUN, '--isolation', 'tee'], message: /--isolation is no level/ },
  'a registry that is none': { args: [...RUN, '--registry', 'https://r.example'], message: /--registry is not HOST/ },
  'a folder of images that moves': {
    args: [...RUN, '--image-root', 'images'],
    message: /--image-root is not an absolute/,
  },
  'an unknown log level': { args: [...RUN, '--log-level', 'loud'], message: /--log-level is unknown/ },
};

describe('a configuration is refused, by the name of its flag and with a next step,', () => {
  for (const [name, { args, message }] of Object.entries(WRONG))
    it(`for ${name}`, () => {
      assert.throws(
        () => parseAgentConfig(args, {}),
        (error: { code?: string; message?: string; next?: string }) => {
          assert.equal(error.code, 'bad-config');
          assert.match(error.message ?? '', message);
          assert.ok((error.next ?? '').length > 0);
          assert.ok(!(error.message ?? '').includes('rfj1'), 'a secret is repeated');
          return true;
        },
      );
    });
});
