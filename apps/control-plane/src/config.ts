import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { parseArgs } from 'node:util';
import { flagValues, messageOf, type HostPort, type LogLevel } from '@ringfence/base';
import { faultSetting } from '@ringfence/base/platform';
import { ControlPlaneError } from './control-plane-error.ts';
import { MOST_WAITING_JOBS } from './queue/waiting-quota.ts';
import type { FetchLimits } from './sign-on/allowed-fetch.ts';

/** What the command line and the environment say. */
export interface ControlPlaneConfig {
  readonly verb: 'run' | 'registration-code' | 'doctor';
  readonly state: string;
  readonly keys: string;
  readonly host: string;
  readonly port: number;
  /** The URL that clients and agents use; codes carry it. */
  readonly url: string | undefined;
  readonly names: readonly string[];
  readonly certificate: { readonly certificateFile: string; readonly keyFile: string } | undefined;
  readonly admin: HostPort;
  readonly databaseUrl: string | undefined;
  /** For `doctor`: what does for a try is refused. */
  readonly production: boolean;
  readonly logLevel: LogLevel;
  /** How many jobs of one organisation may wait. */
  readonly mostWaiting: number;
  /** Hosts of identity providers that it may fetch from. */
  readonly fetch: FetchLimits;
  readonly fault: string | undefined;
}

/** What `--help` prints. */
export const CONTROL_PLANE_USAGE = `ringfence-control-plane run | registration-code | doctor

  run                serves; prints one JSON line with its addresses when it is ready
  registration-code  prints a code that lets one more custodian register its organisation
  doctor             judges the database; with --production it fails on what does for a try

  --state DIR                      folder of this replica (made if missing)
  --listen HOST:PORT               address of the API and the control links (127.0.0.1:0)
  --keys DIR                       folder of the control plane's keys, the same for all replicas (DIR/keys)
  --url URL                        how clients reach it, when that is not https://NAME:PORT
  --name NAME                      host name in the certificate; repeatable; default: the --listen host
  --tls-cert FILE --tls-key FILE   certificate chain and key in PEM; default: issued by an authority of its own
  --admin HOST:PORT                health and metrics (127.0.0.1:0)
  --most-waiting NUMBER            jobs of one organisation that may wait (20000)
  --fetch-from HOST[:PORT]         an identity provider's host that may be asked; repeatable; default: none
  --fetch-ca FILE                  authorities to trust there besides, in PEM
  --log-level LEVEL                debug, info, warn or error (info)

  DATABASE_URL                     a PostgreSQL to use instead of the embedded one
  Each flag can be given as RINGFENCE_STATE, RINGFENCE_LISTEN, …
`;

const FLAGS = [
  'state',
  'listen',
  'keys',
  'url',
  'tls-cert',
  'tls-key',
  'admin',
  'log-level',
  'most-waiting',
  'fetch-ca',
] as const;
type Flag = (typeof FLAGS)[number];
type Environment = Readonly<Record<string, string | undefined>>;

const { address, certificateFiles, logLevel } = flagValues(bad);

/** The configuration of a command line and environment, or `help`; throws ControlPlaneError `bad-config` that names the flag. */
export function parseControlPlaneConfig(args: readonly string[], env: Environment): ControlPlaneConfig | 'help' {
  const { values, positionals } = readFlags(args);
  if (values.help === true) return 'help';
  const [verb = 'run', ...more] = positionals;
  if (!isVerb(verb) || more.length > 0) throw bad('unknown command', 'see --help');
  if (values.production === true && verb !== 'doctor') throw bad('--production belongs to doctor', 'see --help');
  const given = (flag: Flag): string | undefined =>
    values[flag] ?? env[`RINGFENCE_${flag.toUpperCase().replaceAll('-', '_')}`];
  const state = given('state');
  if (state === undefined || state === '') throw bad('--state is missing', 'name a folder: --state DIR');
  const { host, port } = address('listen', given('listen') ?? '127.0.0.1:0');
  return {
    verb,
    state,
    keys: given('keys') ?? join(state, 'keys'),
    host,
    port,
    url: given('url'),
    names: values.name ?? [host],
    certificate: certificateFiles(given('tls-cert'), given('tls-key')),
    admin: address('admin', given('admin') ?? '127.0.0.1:0'),
    databaseUrl: env['DATABASE_URL'],
    production: values.production === true,
    logLevel: logLevel(given('log-level')),
    mostWaiting: mostWaiting(given('most-waiting')),
    fetch: fetchLimits(values['fetch-from'] ?? [], given('fetch-ca')),
    fault: faultSetting(env),
  };
}

function mostWaiting(text: string | undefined): number {
  if (text === undefined) return MOST_WAITING_JOBS;
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw bad('--most-waiting is no number of jobs', 'write it as 20000');
  return Number(text);
}

function fetchLimits(hosts: readonly string[], caFile: string | undefined): FetchLimits {
  if (!hosts.every((host) => /^[a-z0-9.-]+(:[1-9][0-9]{0,4})?$/.test(host)))
    throw bad('--fetch-from is no host', 'write it as login.example or login.example:8443');
  if (caFile === undefined) return { hosts };
  try {
    return { hosts, ca: [...rootCertificates, readFileSync(caFile, 'utf8')] };
  } catch (cause) {
    throw bad('the file of --fetch-ca cannot be read', 'check the path and who may read it', cause);
  }
}

function isVerb(word: string): word is ControlPlaneConfig['verb'] {
  return word === 'run' || word === 'registration-code' || word === 'doctor';
}

function readFlags(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const options = {
    state: text,
    listen: text,
    keys: text,
    url: text,
    'tls-cert': text,
    'tls-key': text,
    admin: text,
    'log-level': text,
    'most-waiting': text,
    'fetch-ca': text,
    'fetch-from': { type: 'string', multiple: true },
    name: { type: 'string', multiple: true },
    production: { type: 'boolean' },
    help: { type: 'boolean' },
  } as const;
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: true });
  } catch (cause) {
    throw bad(messageOf(cause), 'see --help', cause);
  }
}

function bad(message: string, next: string, cause?: unknown): ControlPlaneError {
  return new ControlPlaneError('bad-config', message, { cause, next });
}
