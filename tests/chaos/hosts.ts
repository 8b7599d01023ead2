// Which process stands on which host of the test's network, and how a host's link is cut or slowed.
import { execFileSync } from 'node:child_process';
import type { TestNetwork } from '../network/namespaces.ts';

/** The hosts; the first is the hub, where control plane and relay stand. */
export const HOSTS = ['hub', 'cu', 'ag1', 'ag2', 'cl'] as const;

/**
 * Words before a command on a host. Unlike `ip netns exec` this leaves /sys as it is, so that agents have their cgroups;
 * `nsenter` replaces itself, so that a process keeps its id.
 */
export function onHostOf(network: TestNetwork, host: string): readonly string[] {
  return ['nsenter', `--net=/run/netns/${network.prefix(host).at(-1) ?? ''}`, '--'];
}

/** Which host each process of the house is on. */
export const HOST_OF: Readonly<Record<string, string>> = {
  'control-plane': 'hub',
  relay: 'hub',
  custodian: 'cu',
  'agent-1': 'ag1',
  'agent-2': 'ag2',
  cli: 'cl',
};

/** Runs a command on a host. */
export type OnHost = (host: string, ...command: string[]) => void;

/** Runs commands behind the given prefixes of hosts. */
export function onHostBy(prefix: (host: string) => readonly string[]): OnHost {
  return (host, ...command) => {
    const [program = '', ...args] = [...prefix(host), ...command];
    execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  };
}

/** Drops what comes in, goes out, or both, at `host`; returns how to mend it. */
export function cut(on: OnHost, host: string, way: string): () => void {
  const nft = (...words: string[]): void => on(host, 'nft', ...words);
  nft('add', 'table', 'inet', 'chaos');
  const hooks = [
    ...(way === 'out' ? [] : [['input', 'iifname']]),
    ...(way === 'in' ? [] : [['output', 'oifname']]),
  ] as const;
  for (const [hook = '', device = ''] of hooks) {
    nft('add', 'chain', 'inet', 'chaos', hook, `{ type filter hook ${hook} priority 0; policy accept; }`);
    nft('add', 'rule', 'inet', 'chaos', hook, `${device} != "lo" drop`);
  }
  return () => nft('delete', 'table', 'inet', 'chaos');
}

/** A link of 128 kbit/s with up to half a second of queue for what `host` sends (tc-tbf(8)); returns how to mend it. */
export function slow(on: OnHost, host: string): () => void {
  const device = host === HOSTS[0] ? 'bridge' : 'out';
  on(
    host,
    'tc',
    'qdisc',
    'add',
    'dev',
    device,
    'root',
    'tbf',
    'rate',
    '128kbit',
    'burst',
    '16kbit',
    'latency',
    '500ms',
  );
  return () => on(host, 'tc', 'qdisc', 'del', 'dev', device, 'root');
}
