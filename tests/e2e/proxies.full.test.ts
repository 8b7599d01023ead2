// Agent, custodian and command line behind a customer's proxy, which is the only way to control plane and relay.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { systemRng } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { createCertificateAuthority, issueServerCertificate } from '@ringfence/crypto/certificate';
import { ownEntries, runCli, startHouse, text, type House } from '../../scripts/house/index.ts';
import { findMarkers, needlesOf } from '../canary/marker.ts';
import { writePlantedJob, type PlantedJob } from '../canary/planted-job.ts';
import { startExplicitProxy, type ExplicitProxy, type ProxyPlan } from './explicit-proxy.ts';

/** Each has a proxy of its own, so that what a proxy saw tells who went through it. */
const PARTIES = ['custodian', 'agent-1', 'cli'] as const;
type Party = (typeof PARTIES)[number];

/** One question to the control plane, one to the custodian through the relay. */
const ASKS = [['ps'], ['dataset', 'ls']] as const;

const root = mkdtempSync(join(tmpdir(), 'ringfence-proxies-'));
const closing: (() => Promise<void>)[] = [];

after(async () => {
  for (const close of closing.toReversed()) await close();
  rmSync(root, { recursive: true, force: true });
});

/** A house whose servers nobody reaches but through a proxy. */
interface ProxiedHouse {
  readonly house: House;
  readonly proxies: ReadonlyMap<Party, ExplicitProxy>;
  /** Addresses as the parties know them; nothing listens there. */
  readonly fronts: ReadonlyMap<string, string>;
  readonly folder: string;
}

interface Wanted {
  readonly name: string;
  readonly credentials?: (party: Party) => string;
  readonly inspect?: boolean;
}

async function startProxied({ name, credentials, inspect }: Wanted): Promise<ProxiedHouse> {
  const folder = join(root, name);
  const ways = new Map<string, number>();
  const fronts = new Map<string, string>();
  const authorities: string[] = [];
  const own = inspect === true ? await inspecting(`${folder}.ca.pem`, authorities) : undefined;
  const proxies = new Map<Party, ExplicitProxy>();
  const prefix: Record<string, readonly string[]> = {};
  for (const party of PARTIES) {
    const wanted = credentials?.(party);
    const plan = { ways, ...(wanted === undefined ? {} : { credentials: wanted }), ...own?.plan };
    const proxy = await startExplicitProxy(plan);
    closing.push(proxy.close);
    proxies.set(party, proxy);
    const caFile = own === undefined ? [] : [`RINGFENCE_CA_FILE=${own.caFile}`];
    prefix[party] = ['env', `RINGFENCE_PROXY=${proxyUrl(proxy, wanted)}`, ...caFile];
  }
  const onServer = async (server: { name: string } & Parameters<typeof text>[0], front: number): Promise<void> => {
    const ports: Record<string, number> = JSON.parse(readFileSync(join(folder, 'ports.json'), 'utf8'));
    ways.set(`127.0.0.1:${front}`, ports[server.name] ?? 0);
    fronts.set(server.name, `https://127.0.0.1:${front}`);
    authorities.push(readFileSync(text(server, 'ca_file'), 'utf8'));
  };
  const house = await startHouse({ root: folder, agents: 1, prefix, onServer });
  closing.push(() => house.stop());
  return { house, proxies, fronts, folder };
}

function proxyUrl({ port }: ExplicitProxy, credentials: string | undefined): string {
  const [user = '', password = ''] = (credentials ?? '').split(':').map(encodeURIComponent);
  return `http://${credentials === undefined ? '' : `${user}:${password}@`}127.0.0.1:${port}`;
}

/** A proxy's own authority, which the parties are told of by `--ca-file`, and its certificate for every server. */
async function inspecting(
  caFile: string,
  behind: readonly string[],
): Promise<{ caFile: string; plan: Pick<ProxyPlan, 'inspect'> }> {
  const authority = await createCertificateAuthority({ clock: systemClock, rng: systemRng });
  const parts = { hosts: ['127.0.0.1'], clock: systemClock, rng: systemRng };
  const { certificatePem: cert, privateKeyPem } = await issueServerCertificate(authority, parts);
  writeFileSync(caFile, authority.certificatePem);
  return { caFile, plan: { inspect: { cert, key: String(privateKeyPem.expose()), ca: () => behind } } };
}

/** Data in, a job, its log and metrics out, stored and read back: every kind of link is used. */
async function workThrough({ house, folder }: ProxiedHouse): Promise<PlantedJob> {
  const planted = writePlantedJob(`${folder}.job`);
  const added = await house.cli(['dataset', 'add', planted.dataset, planted.dataFolder, '--label', 'internal']);
  assert.equal(added.code, 0, added.stderr);
  const run = await house.cli(['launch', '-y', '--json', planted.jobFile]);
  assert.equal(run.code, 0, run.stderr);
  const log = planted.markers.find(({ where }) => where === 'log line');
  assert.ok(log !== undefined && run.stdout.includes(log.text), 'the log came back');
  const job = /"event":"submitted","job":"([^"]+)"/.exec(run.stdout)?.[1] ?? '';
  const metrics = await house.cli(['metrics', job, '--json']);
  const metric = planted.markers.find(({ where }) => where === 'metric name');
  assert.ok(metric !== undefined && metrics.stdout.includes(metric.text), metrics.stderr);
  return planted;
}

/** Each party went through its own proxy to both servers, and its journal says so and is whole. */
async function assertAllThroughProxies({ house, proxies, fronts }: ProxiedHouse): Promise<void> {
  const both = [...fronts.values()].map((url) => url.slice('https://'.length)).toSorted();
  for (const party of PARTIES) {
    const requests = proxies.get(party)?.requests ?? [];
    const passed = requests.filter(({ status }) => status === 200).map(({ target }) => target);
    assert.deepEqual([...new Set(passed)].toSorted(), both, party);
    assert.deepEqual(
      requests.filter(({ status }) => status !== 200),
      [],
      party,
    );
  }
  for (const party of ['custodian', 'agent-1']) {
    const verified = await house.cli(['wire', 'verify', '--state', join(house.root, party), '--json']);
    assert.equal(verified.code, 0, verified.stderr);
  }
}

describe('through an explicit proxy', () => {
  test('without authentication, agent, custodian and command line work', async () => {
    const proxied = await startProxied({ name: 'open' });
    await workThrough(proxied);
    await assertAllThroughProxies(proxied);
  });

  test('with a user and a password each, they work; with wrong ones the refusal says what to do', async () => {
    // Characters that mean something in a URL, and a colon, which only the password may have.
    const credentials = (party: Party): string => `${party}@site:p/a?s#s w%rd-${party}`;
    const proxied = await startProxied({ name: 'guarded', credentials });
    await workThrough(proxied);
    await assertAllThroughProxies(proxied);
    const { port } = proxied.proxies.get('cli') ?? { port: 0 };
    for (const given of ['', 'cli%40site:hunter2@']) {
      const prefix = ['env', `RINGFENCE_PROXY=http://${given}127.0.0.1:${port}`];
      for (const args of ASKS) {
        const refused = await runCli({ ...callOf(proxied), prefix, args });
        assert.notEqual(refused.code, 0);
        assert.match(refused.stderr, /\(proxy-refused\)\n.*user/);
        assert.ok(!refused.stderr.includes('hunter2'), refused.stderr);
      }
    }
  });
});

describe('through a proxy that opens TLS', () => {
  test('all work with its authority in --ca-file, and it sees no marker of what the job carried', async () => {
    const proxied = await startProxied({ name: 'inspected', inspect: true });
    const planted = await workThrough(proxied);
    await assertAllThroughProxies(proxied);
    for (const party of PARTIES) {
      const seen = proxied.proxies.get(party)?.seen() ?? Buffer.alloc(0);
      // It did look inside: the opening of a WebSocket is readable to it, and nothing of the job is.
      assert.ok(seen.includes('Sec-WebSocket-Accept') || seen.includes('sec-websocket-accept'), party);
      assert.deepEqual(findMarkers(seen, needlesOf(planted.markers)), [], party);
    }
    const { port } = proxied.proxies.get('cli') ?? { port: 0 };
    const untold = ['env', `RINGFENCE_PROXY=http://127.0.0.1:${port}`];
    for (const args of ASKS) {
      const refused = await runCli({ ...callOf(proxied), prefix: untold, args });
      assert.notEqual(refused.code, 0, 'without its authority in RINGFENCE_CA_FILE it is a stranger');
      assert.match(refused.stderr, /\(untrusted-server\)/);
    }
  });
});

function callOf({ house }: ProxiedHouse): Omit<Parameters<typeof runCli>[0], 'args'> {
  return { entries: ownEntries(), home: house.home, within: 30_000 };
}
