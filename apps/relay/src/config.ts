import { parseArgs } from 'node:util';
import { flagValues, messageOf, parseDuration, type LogLevel } from '@ringfence/base';
import { parseHostHeader } from '@ringfence/client/relay-protocol';
import { RelayError } from './error.ts';
import { DEFAULT_RELAY_LIMITS, type RelayLimits } from './limits.ts';

/** What the relay's command line says. */
export interface RelayConfig {
  readonly state: string;
  readonly host: string;
  readonly port: number;
  /** As URLs spell them: lower case, IPv6 in brackets. The first one is in the printed URL. */
  readonly names: readonly string[];
  /** Files of a certificate from elsewhere; none means one of the relay's own authority. */
  readonly certificate: { readonly certificateFile: string; readonly keyFile: string } | undefined;
  readonly limits: RelayLimits;
  readonly logLevel: LogLevel;
}

/** What `--help` prints. */
export const RELAY_USAGE = `ringfence-relay run: joins outbound connections and forwards end-to-end encrypted bytes

  --state DIR                      folder for the certificate (made if missing)
  --listen HOST:PORT               address to listen on; port 0 takes a free one
  --name NAME                      host name or address that clients use; repeatable; default: the --listen host
  --tls-cert FILE --tls-key FILE   certificate chain and key in PEM; default: issued by an authority of its own
  --max-connections N              open sockets, all together (${DEFAULT_RELAY_LIMITS.connections})
  --max-connections-per-client N   open sockets from one address or IPv6 /64 (${DEFAULT_RELAY_LIMITS.connectionsPerClient})
  --max-links N                    joined links (${DEFAULT_RELAY_LIMITS.links})
  --idle-timeout TIME              closes links without traffic (300s)
  --log-level LEVEL                debug, info, warn or error (info)
`;

const FLAGS = {
  state: { type: 'string' },
  listen: { type: 'string' },
  name: { type: 'string', multiple: true },
  'tls-cert': { type: 'string' },
  'tls-key': { type: 'string' },
  'max-connections': { type: 'string' },
  'max-connections-per-client': { type: 'string' },
  'max-links': { type: 'string' },
  'idle-timeout': { type: 'string' },
  'log-level': { type: 'string' },
  help: { type: 'boolean' },
} as const;

const { address, certificateFiles, logLevel } = flagValues(bad);

/** The configuration of a command line, or `help`; throws RelayError `bad-config` that names the flag. */
export function parseRelayConfig(args: readonly string[]): RelayConfig | 'help' {
  const { flags, verbs } = readFlags(args);
  if (flags.help === true) return 'help';
  if (verbs.length !== 1 || verbs[0] !== 'run') throw bad('the one thing to do is: run', 'see --help');
  if (flags.state === undefined || flags.state === '') throw bad('--state is missing', 'name a folder: --state DIR');
  const { host, port, name } = parseListen(flags.listen);
  return {
    state: flags.state,
    host,
    port,
    names: parseNames(flags.name, name),
    certificate: certificateFiles(flags['tls-cert'], flags['tls-key']),
    limits: {
      ...DEFAULT_RELAY_LIMITS,
      connections: count('max-connections', flags, DEFAULT_RELAY_LIMITS.connections),
      connectionsPerClient: count('max-connections-per-client', flags, DEFAULT_RELAY_LIMITS.connectionsPerClient),
      links: count('max-links', flags, DEFAULT_RELAY_LIMITS.links),
      idleWithin: idleTimeout(flags['idle-timeout']),
    },
    logLevel: logLevel(flags['log-level']),
  };
}

type Flags = ReturnType<typeof readFlags>['flags'];

function readFlags(args: readonly string[]) {
  try {
    const parsed = parseArgs({ args: [...args], options: FLAGS, strict: true, allowPositionals: true });
    return { flags: parsed.values, verbs: parsed.positionals };
  } catch (cause) {
    throw bad(messageOf(cause), 'see --help', cause);
  }
}

function parseListen(text: string | undefined): { host: string; port: number; name: string } {
  if (text === undefined) throw bad('--listen is missing', 'name an address: --listen 0.0.0.0:8443');
  const parsed = address('listen', text);
  return { ...parsed, name: parsed.host.includes(':') ? `[${parsed.host}]` : parsed.host };
}

function parseNames(given: readonly string[] | undefined, listenName: string): string[] {
  if (given === undefined && (listenName === '0.0.0.0' || /^\[[0:]+\]$/.test(listenName)))
    throw bad('--name is missing', 'an address for all networks is not a name: add --name relay.example.org');
  return (given ?? [listenName]).map((text) => {
    const name = /^[^[\]]*:[^[\]]*$/.test(text) ? `[${text}]` : text;
    const parsed = parseHostHeader(name);
    if (parsed === undefined || parsed.host !== `${parsed.name}:443`)
      throw bad('--name is not a host name or an address', 'write the name alone, without https:// and port');
    return parsed.name;
  });
}

function count(
  flag: 'max-connections' | 'max-connections-per-client' | 'max-links',
  flags: Flags,
  otherwise: number,
): number {
  const text = flags[flag];
  if (text === undefined) return otherwise;
  if (!/^[1-9]\d{0,6}$/.test(text)) throw bad(`--${flag} is not a number from 1 to 9999999`, 'write digits only');
  return Number(text);
}

function idleTimeout(text: string | undefined): number {
  if (text === undefined) return DEFAULT_RELAY_LIMITS.idleWithin;
  const duration = parseDuration(text);
  if (duration === undefined || duration < 1_000 || duration > 86_400_000)
    throw bad('--idle-timeout is not a time from 1s to 24h', 'write it as 90s or 5m');
  return duration;
}

function bad(message: string, next: string, cause?: unknown): RelayError {
  return new RelayError('bad-config', message, { cause, next });
}
