import { isAbsolute, normalize } from 'node:path';
import { parseArgs } from 'node:util';
import { flagValues, isId, messageOf, parseDuration, type HostPort, type LogLevel } from '@ringfence/base';
import { faultSetting } from '@ringfence/base/platform';
import type { JournalRetention } from '@ringfence/client/control-link';
import { AgentError } from './agent-error.ts';
import { offerTerms, type OfferTerms } from './machine/offer-terms.ts';
import { imageFlags, type ImageFlags } from './oci/image-flags.ts';
import type { DataRoot } from './data-in-place/data-folder.ts';
import { readConnectTarget } from './egress/egress-target.ts';

interface Common {
  readonly state: string;
  /** Key that seals the identity at rest; default: a file in the state folder. */
  readonly sealKeyFile: string | undefined;
  readonly logLevel: LogLevel;
  readonly fault: string | undefined;
}

/** What `join` was told. */
export interface JoinConfig extends Common {
  readonly verb: 'join';
  readonly codeFile: string | undefined;
  readonly allowProcess: boolean;
  /** Authorities for a TLS-inspecting proxy, for every outer connection. */
  readonly caFile: string | undefined;
  /** Authorities for the relay alone. */
  readonly relayCa: string | undefined;
  readonly proxy: string | undefined;
  readonly lan: string | undefined;
  /** Files of what admits a machine away from home. */
  readonly admission: string | undefined;
  readonly machine: string | undefined;
}

/** What `keys` was told. */
export interface KeysConfig extends Common {
  readonly verb: 'keys';
}

/** What `renew` was told. */
export interface RenewConfig extends Common {
  readonly verb: 'renew';
  readonly admission: string | undefined;
  readonly machine: string | undefined;
}

/** What `run` was told. */
export interface RunConfig extends Common {
  readonly verb: 'run';
  readonly admin: HostPort;
  /** Milliseconds over which the first dial after a cut is spread. */
  readonly reconnectWithin: number | undefined;
  /** Milliseconds that what runs has, with its last checkpoint, when the agent is told to stop. */
  readonly stopWithin: number;
  /** How long closed segments of the links' journals are kept. */
  readonly retention: JournalRetention;
  /** Where attempts lie while they run; default by who runs the agent. */
  readonly work: string | undefined;
  readonly cacheBytes: number;
  readonly logBytes: number;
  /** Most bytes of all attempts' logs and metrics together. */
  readonly logQuota: number;
  readonly jurisdictions: readonly string[];
  readonly terms: OfferTerms;
  readonly firstJobUid: number | undefined;
  /** Bytes of disk below which no new work is taken; default by the disk. */
  readonly diskReserve: number | undefined;
  /** Folders below which data can be registered without a copy. */
  readonly dataRoots: readonly DataRoot[];
  /** `host:port` that every setup may reach. */
  readonly setupMirrors: readonly string[];
  /** What makes this agent a gateway; undefined when it is none. */
  readonly gateway: { readonly listen: HostPort | undefined } | undefined;
  /** `host:port` on this machine or its link that jobs which list them may reach. */
  readonly egressAllowLocal: readonly string[];
  /** Where images come from, and which levels this machine offers. */
  readonly images: ImageFlags;
}

/** The agent's configuration. */
export type AgentConfig = JoinConfig | KeysConfig | RenewConfig | RunConfig;

/** What `--help` prints. */
export const AGENT_USAGE = `ringfence-agent keys | join | renew | run

  keys --state DIR                 makes the keys of the next join and prints them, for the provider's machine statement

  join --state DIR                 joins an organisation with a code from standard input, once for each organisation
    --code-file FILE               reads the code from a file instead
    --admission FILE --machine FILE  of a provider's machine: what admits it, for the keys that keys printed
    --allow-process                lets jobs run without a sandbox where bubblewrap does not work
    --lan HOST:PORT                address on the local network where devices may read logs directly
    --proxy URL                    HTTP proxy for outgoing connections
    --ca-file FILE                 authorities of a proxy that inspects TLS
    --relay-ca FILE                authorities of the relay, when the code does not pin them
  renew --state DIR                brings new papers of a provider's machine, for the keys that it joined with
    --admission FILE --machine FILE
  run --state DIR                  runs jobs
    --admin HOST:PORT              health and metrics (127.0.0.1:0)
    --reconnect-within TIME        spreads the first dial after a cut (15s)
    --stop-within TIME             what runs has half of it to end when the agent is told to stop, its last checkpoint the rest (6s)
    --journal-compress TIME        compresses segments of links' journals that are older; never: not at all (90d)
    --journal-keep TIME            removes segments that are older, all but the agent's own steps (never)
    --work DIR                     where attempts lie while they run
    --cache-size SIZE              sealed objects that are kept (5GB)
    --log-size SIZE                most of a job's output that is kept, for each attempt (64MB)
    --log-quota SIZE               most that all logs and metrics take; the oldest of ended attempts go (5GB)
    --jurisdiction CODE            where this machine stands, such as DE or EU; repeatable
    --region NAME                  what its provider calls the place where this machine stands
    --price AMOUNT                 what it costs an hour, such as 1.20EUR; not for an organisation's own machines
    --spot                         it may be taken away at any time
    --first-job-uid N              first of 64 user ids for jobs
    --disk-reserve SIZE            less free disk than this: no new work (1GB, or 5 % of a smaller disk)
    --data-root [ORG=]DIR          data below it can be registered where it lies: dataset add --at; repeatable (none)
    --setup-mirror HOST:PORT       a mirror that every setup may reach; repeatable (none: setup has no network)
    --egress-allow-local HOST:PORT lets jobs that list it reach this place on the machine itself or its link; repeatable
    --gateway                      calls to endpoints come in here, once a member allowed it: ringfence endpoint gateway add
    --gateway-listen HOST:PORT     where callers of the network reach it, by TLS (none: members alone, by payload link)
    --isolation LEVEL              process, sandbox, container or gvisor: offer these alone; repeatable (all that work)
    --image-root DIR               a folder with image layouts and archives that jobs may name; repeatable
    --image-cache-size SIZE        unpacked images that are kept (20GB)
    --registry HOST[:PORT]         take images from these registries alone; repeatable (any with TLS)
    --registry-auth FILE           credentials for registries, in the format of Docker's config.json
    --registry-ca FILE             authorities of registries, in PEM
    --insecure-registry HOST:PORT  reads this registry without TLS; repeatable
  --seal-key-file FILE             key that seals the identity at rest (DIR/seal.key)
  --log-level LEVEL                debug, info, warn or error (info)

  Each flag can be given as RINGFENCE_STATE, RINGFENCE_ADMIN, …
`;

const text = { type: 'string' } as const;
const FLAGS = {
  state: text,
  'code-file': text,
  admission: text,
  machine: text,
  lan: text,
  proxy: text,
  'ca-file': text,
  'relay-ca': text,
  admin: text,
  'reconnect-within': text,
  'stop-within': text,
  'journal-compress': text,
  'journal-keep': text,
  work: text,
  'cache-size': text,
  'log-size': text,
  'log-quota': text,
  'disk-reserve': text,
  'first-job-uid': text,
  'seal-key-file': text,
  'log-level': text,
  jurisdiction: { type: 'string', multiple: true },
  region: text,
  price: text,
  spot: { type: 'boolean' },
  'data-root': { type: 'string', multiple: true },
  'setup-mirror': { type: 'string', multiple: true },
  'egress-allow-local': { type: 'string', multiple: true },
  'gateway-listen': text,
  gateway: { type: 'boolean' },
  isolation: { type: 'string', multiple: true },
  'image-root': { type: 'string', multiple: true },
  'image-cache-size': text,
  registry: { type: 'string', multiple: true },
  'registry-auth': text,
  'registry-ca': text,
  'insecure-registry': { type: 'string', multiple: true },
  'allow-process': { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

const JOIN_ONLY = [
  'code-file',
  'admission',
  'machine',
  'lan',
  'proxy',
  'ca-file',
  'relay-ca',
  'allow-process',
] as const;
const RUN_ONLY = [
  'admin',
  'reconnect-within',
  'stop-within',
  'journal-compress',
  'journal-keep',
  'work',
  'cache-size',
  'log-size',
  'log-quota',
  'jurisdiction',
  'region',
  'price',
  'spot',
  'first-job-uid',
  'setup-mirror',
  'egress-allow-local',
  'isolation',
  'image-root',
  'image-cache-size',
  'registry',
  'registry-auth',
  'registry-ca',
  'insecure-registry',
  'gateway',
  'gateway-listen',
] as const;

const PAPERS: readonly string[] = ['admission', 'machine'];
const MISPLACED = {
  keys: [...JOIN_ONLY, ...RUN_ONLY],
  join: RUN_ONLY,
  renew: [...JOIN_ONLY.filter((flag) => !PAPERS.includes(flag)), ...RUN_ONLY],
  run: JOIN_ONLY,
};

type Environment = Readonly<Record<string, string | undefined>>;
type ListFlag =
  | 'jurisdiction'
  | 'data-root'
  | 'setup-mirror'
  | 'egress-allow-local'
  | 'isolation'
  | 'image-root'
  | 'registry'
  | 'insecure-registry';
type TextFlag = Exclude<keyof typeof FLAGS, ListFlag | 'allow-process' | 'gateway' | 'spot' | 'help'>;

const { age, logLevel, size } = flagValues(bad);
/** Host and port of `HOST:PORT`. */
export const { address } = flagValues(bad);

/** The configuration of a command line and environment, or `help`; throws AgentError `bad-config` that names the flag. */
export function parseAgentConfig(args: readonly string[], env: Environment): AgentConfig | 'help' {
  const { values, positionals } = readFlags(args);
  if (values.help === true) return 'help';
  const [verb, ...more] = positionals;
  if ((verb !== 'run' && verb !== 'join' && verb !== 'keys' && verb !== 'renew') || more.length > 0)
    throw bad('name one thing to do: keys, renew, join or run', 'see --help');
  const misplaced = MISPLACED[verb].find((flag) => values[flag] !== undefined);
  if (misplaced !== undefined) throw bad(`--${misplaced} does not belong to ${verb}`, 'see --help');
  const given = (flag: TextFlag): string | undefined => values[flag] ?? env[variableOf(flag)];
  const state = given('state');
  if (state === undefined || state === '') throw bad('--state is missing', 'name a folder: --state DIR');
  const common: Common = {
    state,
    sealKeyFile: given('seal-key-file'),
    logLevel: logLevel(given('log-level')),
    fault: faultSetting(env),
  };
  const list = (flag: ListFlag): readonly string[] => values[flag] ?? listOf(env, flag);
  const isGateway = values.gateway ?? env['RINGFENCE_GATEWAY'] === '1';
  if (verb === 'run')
    return {
      verb,
      ...common,
      ...runFlags(given, list),
      terms: offerTerms({
        region: given('region'),
        price: given('price'),
        spot: values.spot ?? env['RINGFENCE_SPOT'] === '1',
      }),
      gateway: gatewayFlags(isGateway, given('gateway-listen')),
    };
  if (verb === 'keys') return { verb, ...common };
  if (verb === 'renew') return { verb, ...common, admission: given('admission'), machine: given('machine') };
  const lan = given('lan');
  if (lan !== undefined) address('lan', lan);
  return {
    verb,
    ...common,
    codeFile: given('code-file'),
    admission: given('admission'),
    machine: given('machine'),
    allowProcess: values['allow-process'] ?? env['RINGFENCE_ALLOW_PROCESS'] === '1',
    caFile: given('ca-file'),
    relayCa: given('relay-ca'),
    proxy: given('proxy'),
    lan,
  };
}

function runFlags(
  given: (flag: TextFlag) => string | undefined,
  list: (flag: ListFlag) => readonly string[],
): Omit<RunConfig, 'verb' | 'gateway' | 'terms' | keyof Common> {
  const within = given('reconnect-within');
  const uid = given('first-job-uid');
  const reserve = given('disk-reserve');
  const jurisdictions = list('jurisdiction');
  if (jurisdictions.some((code) => !/^(?:[A-Z]{2}|EEA)$/.test(code)) || jurisdictions.length > 4)
    throw bad('--jurisdiction is not a country', 'write two capital letters such as DE, or EU; four at most');
  return {
    admin: address('admin', given('admin') ?? '127.0.0.1:0'),
    reconnectWithin: within === undefined ? undefined : duration('reconnect-within', within),
    stopWithin: duration('stop-within', given('stop-within') ?? '6s'),
    retention: {
      packAfter: age('journal-compress', given('journal-compress') ?? '90d'),
      keepFor: age('journal-keep', given('journal-keep')),
    },
    work: given('work'),
    cacheBytes: size('cache-size', given('cache-size') ?? '5GB'),
    ...logFlags(given),
    jurisdictions,
    firstJobUid: uid === undefined ? undefined : whole('first-job-uid', uid),
    diskReserve: reserve === undefined ? undefined : size('disk-reserve', reserve),
    dataRoots: list('data-root').map((value) => dataRoot(value)),
    setupMirrors: list('setup-mirror').map((value) => place('setup-mirror', value)),
    egressAllowLocal: list('egress-allow-local').map((value) => place('egress-allow-local', value)),
    images: imageFlags({
      levels: list('isolation'),
      roots: list('image-root'),
      cacheBytes: size('image-cache-size', given('image-cache-size') ?? '20GB'),
      registries: list('registry'),
      insecure: list('insecure-registry'),
      auth: given('registry-auth'),
      ca: given('registry-ca'),
    }),
  };
}

function logFlags(given: (flag: TextFlag) => string | undefined): Pick<RunConfig, 'logBytes' | 'logQuota'> {
  const logBytes = size('log-size', given('log-size') ?? '64MB');
  const quota = given('log-quota');
  const logQuota = quota === undefined ? Math.max(5e9, 2 * logBytes) : size('log-quota', quota);
  if (logQuota < 2 * logBytes)
    throw bad('--log-quota is less than twice --log-size', 'allow more for all logs together, or less for each');
  return { logBytes, logQuota };
}

function gatewayFlags(isGateway: boolean, listen: string | undefined): RunConfig['gateway'] {
  if (!isGateway && listen !== undefined)
    throw bad('--gateway-listen belongs to a gateway', 'add --gateway, or leave it out');
  return isGateway ? { listen: listen === undefined ? undefined : address('gateway-listen', listen) } : undefined;
}

function readFlags(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: FLAGS, strict: true, allowPositionals: true });
  } catch (cause) {
    throw bad(messageOf(cause), 'see --help', cause);
  }
}

function variableOf(flag: string): string {
  return `RINGFENCE_${flag.toUpperCase().replaceAll('-', '_')}`;
}

function listOf(env: Environment, flag: ListFlag): readonly string[] {
  return (env[variableOf(flag)] ?? '').split(',').filter((code) => code !== '');
}

function place(flag: string, value: string): string {
  const wish = readConnectTarget(value);
  if (wish === undefined) throw bad(`--${flag} is not HOST:PORT`, 'write it as mirror.example:443');
  return wish.key;
}

function dataRoot(value: string): DataRoot {
  const at = isAbsolute(value) ? -1 : value.indexOf('=');
  const org = at === -1 ? undefined : value.slice(0, at);
  const path = value.slice(at + 1);
  if (org !== undefined && !isId('org', org))
    throw bad('--data-root names no organisation', 'write its id, as ready and joined lines do: org_…=/srv/data');
  if (!isAbsolute(path) || normalize(path) === '/')
    throw bad('--data-root is no folder', 'write its whole path, such as /srv/data; all of / is none');
  return { org, path };
}

function duration(flag: string, value: string): number {
  const parsed = parseDuration(value);
  if (parsed === undefined || parsed > 600_000) throw bad(`--${flag} is not a time of at most 10m`, 'write it as 15s');
  return parsed;
}

function whole(flag: string, value: string): number {
  if (!/^\d{1,10}$/.test(value)) throw bad(`--${flag} is not a whole number`, 'write digits only');
  return Number(value);
}

function bad(message: string, next: string, cause?: unknown): AgentError {
  return new AgentError('bad-config', message, { cause, next });
}
