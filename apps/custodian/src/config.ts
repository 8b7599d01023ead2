import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { flagValues, messageOf, parseDuration, type HostPort, type LogLevel } from '@ringfence/base';
import { faultSetting } from '@ringfence/base/platform';
import type { JournalRetention } from '@ringfence/client/control-link';
import { CustodianError } from './custodian-error.ts';

/** What the command line and the environment say. */
export interface CustodianConfig {
  readonly verb: 'run' | 'restore';
  readonly state: string;
  /** The archive to restore from. */
  readonly from: string | undefined;
  readonly backupPassphraseFile: string | undefined;
  readonly registrationCodeFile: string | undefined;
  readonly relay: string | undefined;
  readonly relayCa: string | undefined;
  readonly lan: HostPort | undefined;
  /** How others on the network reach the LAN listener, when that is not its bound address. */
  readonly lanName: string | undefined;
  readonly proxy: string | undefined;
  readonly caFile: string | undefined;
  readonly sealKeyFile: string;
  readonly passphraseFile: string | undefined;
  readonly admin: HostPort;
  readonly databaseUrl: string | undefined;
  /** Waits until no other process is active on this database. */
  readonly standby: boolean;
  /** File that names the webhooks. */
  readonly webhooks: string | undefined;
  /** File that names who else can hold the organisation's key. */
  readonly kekProviders: string | undefined;
  /** Bytes of disk that uploads leave free; default by the disk. */
  readonly diskReserve: number | undefined;
  /** Milliseconds over which links spread when they come back. */
  readonly reconnectWithin: number | undefined;
  /** How long closed segments of the link's journal are kept. */
  readonly retention: JournalRetention;
  readonly logLevel: LogLevel;
  readonly fault: string | undefined;
}

/** What `--help` prints. */
export const CUSTODIAN_USAGE = `ringfence-custodian run | restore

  --state DIR              folder of this custodian (made if missing)
  --relay URL              relay through which devices and agents reach it
  --relay-ca FILE          certificate authority of that relay (PEM), when it is private
  --lan HOST:PORT          also listen on the network (off)
  --lan-name HOST:PORT     how others reach the LAN listener, when that is not its address
  --proxy URL              HTTP proxy for everything that is dialled
  --ca-file FILE           certificate authorities to trust instead of the system's and the codes' pins
  --seal-key-file FILE     key that seals the custodian's keys at rest (DIR/seal.key)
  --passphrase-file FILE   passphrase that seals them instead
  --standby                wait for its turn when another process is active on the same database and folder
  --admin HOST:PORT        health and metrics (127.0.0.1:0)
  --webhooks FILE          places that are told when jobs end (JSON; none)
  --kek-providers FILE     who can hold the organisation's key: HSMs, key services, your gateway (JSON; none)
  --disk-reserve SIZE      disk that uploads leave free (1GB, or 5 % of a smaller disk)
  --reconnect-within TIME  spread of reconnections (15s)
  --journal-compress TIME  compress segments of the link's journal that are older; never: not at all (90d)
  --journal-keep TIME      remove segments that are older, all but the custodian's own steps (never)
  --log-level LEVEL        debug, info, warn or error (info)
restore:
  --from FILE                     archive to restore into a new --state
  --backup-passphrase-file FILE   its passphrase (else the first line of stdin)
  --registration-code-file FILE   a new registration code of the same control plane, which has seen a newer journal than the archive's

  CUSTODIAN_DATABASE_URL   a PostgreSQL to use instead of the embedded one
  Each flag can be given as RINGFENCE_STATE, RINGFENCE_RELAY, …
`;

const FLAGS = [
  'state',
  'from',
  'backup-passphrase-file',
  'registration-code-file',
  'relay',
  'relay-ca',
  'lan',
  'lan-name',
  'proxy',
  'ca-file',
  'seal-key-file',
  'passphrase-file',
  'admin',
  'webhooks',
  'kek-providers',
  'disk-reserve',
  'reconnect-within',
  'journal-compress',
  'journal-keep',
  'log-level',
] as const;
type Flag = (typeof FLAGS)[number];
type Environment = Readonly<Record<string, string | undefined>>;

const { address, age, logLevel, size } = flagValues(bad);

/** The configuration of a command line and environment, or `help`; throws CustodianError `bad-config` that names the flag. */
export function parseCustodianConfig(args: readonly string[], env: Environment): CustodianConfig | 'help' {
  const { values, positionals } = readFlags(args);
  if (values.help === true) return 'help';
  const [verb = 'run', ...more] = positionals;
  if ((verb !== 'run' && verb !== 'restore') || more.length > 0) throw bad('unknown command', 'see --help');
  const given = (flag: Flag): string | undefined =>
    values[flag] ?? env[`RINGFENCE_${flag.toUpperCase().replaceAll('-', '_')}`];
  const state = given('state');
  if (state === undefined || state === '') throw bad('--state is missing', 'name a folder: --state DIR');
  if (verb === 'restore' && given('from') === undefined)
    throw bad('--from is missing', 'name the archive: --from FILE');
  const standby = values.standby ?? env['RINGFENCE_STANDBY'] === '1';
  if (standby && env['CUSTODIAN_DATABASE_URL'] === undefined)
    throw bad('--standby needs a database that both processes reach', 'name it in CUSTODIAN_DATABASE_URL');
  const lan = given('lan');
  const reconnect = given('reconnect-within');
  const reserve = given('disk-reserve');
  return {
    verb,
    state,
    from: given('from'),
    backupPassphraseFile: given('backup-passphrase-file'),
    registrationCodeFile: given('registration-code-file'),
    relay: given('relay'),
    relayCa: given('relay-ca'),
    lan: lan === undefined ? undefined : address('lan', lan),
    lanName: given('lan-name'),
    proxy: given('proxy'),
    caFile: given('ca-file'),
    sealKeyFile: given('seal-key-file') ?? join(state, 'seal.key'),
    passphraseFile: given('passphrase-file'),
    admin: address('admin', given('admin') ?? '127.0.0.1:0'),
    databaseUrl: env['CUSTODIAN_DATABASE_URL'],
    standby,
    webhooks: given('webhooks'),
    kekProviders: given('kek-providers'),
    diskReserve: reserve === undefined ? undefined : size('disk-reserve', reserve),
    reconnectWithin: reconnect === undefined ? undefined : duration(reconnect),
    retention: {
      packAfter: age('journal-compress', given('journal-compress') ?? '90d'),
      keepFor: age('journal-keep', given('journal-keep')),
    },
    logLevel: logLevel(given('log-level')),
    fault: faultSetting(env),
  };
}

function readFlags(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const options = {
    state: text,
    from: text,
    'backup-passphrase-file': text,
    'registration-code-file': text,
    relay: text,
    'relay-ca': text,
    lan: text,
    'lan-name': text,
    proxy: text,
    'ca-file': text,
    'seal-key-file': text,
    'passphrase-file': text,
    admin: text,
    webhooks: text,
    'kek-providers': text,
    'disk-reserve': text,
    'reconnect-within': text,
    'journal-compress': text,
    'journal-keep': text,
    'log-level': text,
    standby: { type: 'boolean' },
    help: { type: 'boolean' },
  } as const satisfies Record<Flag | 'help' | 'standby', { type: 'string' | 'boolean' }>;
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: true });
  } catch (cause) {
    throw bad(messageOf(cause), 'see --help', cause);
  }
}

function duration(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined) throw bad('--reconnect-within is no duration', 'write it as 15s');
  return milliseconds;
}

function bad(message: string, next: string, cause?: unknown): CustodianError {
  return new CustodianError('bad-config', message, { cause, next });
}
