// Hosts of our own: network namespaces on one bridge, some of which accept no connection from outside.
import { execFileSync } from 'node:child_process';

/** A small network; every host has an address and a prefix for commands that run there. */
export interface TestNetwork {
  readonly address: (host: string) => string;
  readonly prefix: (host: string) => readonly string[];
  /** How many inbound connection attempts a closed host has dropped. */
  readonly dropped: (host: string) => number;
  readonly remove: () => void;
}

/** Builds namespaces joined by a bridge in the first of `hosts`; those in `closed` drop every SYN that comes from outside. */
export function buildNetwork(hosts: readonly [string, ...string[]], closed: readonly string[]): TestNetwork {
  const [hub, ...others] = hosts;
  const space = (host: string): string => `rf${process.pid}${host}`;
  const made: string[] = [];
  const remove = (): void => {
    for (const name of made) run('ip', 'netns', 'del', name);
  };
  const address = (host: string): string => `10.77.0.${hosts.indexOf(host) + 1}`;
  try {
    for (const host of hosts) {
      run('ip', 'netns', 'add', space(host));
      made.push(space(host));
      inside(space(host), 'ip', 'link', 'set', 'lo', 'up');
    }
    inside(space(hub), 'ip', 'link', 'add', 'bridge', 'type', 'bridge');
    inside(space(hub), 'ip', 'addr', 'add', `${address(hub)}/24`, 'dev', 'bridge');
    inside(space(hub), 'ip', 'link', 'set', 'bridge', 'up');
    for (const [index, host] of others.entries())
      join(space(hub), space(host), { port: `p${index}`, address: address(host) });
    for (const host of closed) close(space(host));
  } catch (error) {
    remove();
    throw error;
  }
  return {
    address,
    prefix: (host) => ['ip', 'netns', 'exec', space(host)],
    dropped: (host) => droppedBy(space(host)),
    remove,
  };
}

function join(hub: string, host: string, { port, address }: { port: string; address: string }): void {
  inside(hub, 'ip', 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'out', 'netns', host);
  inside(hub, 'ip', 'link', 'set', port, 'master', 'bridge', 'up');
  inside(host, 'ip', 'addr', 'add', `${address}/24`, 'dev', 'out');
  inside(host, 'ip', 'link', 'set', 'out', 'up');
}

function close(host: string): void {
  inside(host, 'nft', 'add', 'table', 'inet', 'closed');
  inside(host, 'nft', 'add', 'chain', 'inet', 'closed', 'in', '{ type filter hook input priority 0; policy accept; }');
  inside(
    host,
    'nft',
    'add',
    'rule',
    'inet',
    'closed',
    'in',
    'iifname != "lo" tcp flags & (syn | ack) == syn counter drop',
  );
}

function droppedBy(host: string): number {
  const rules = execFileSync('ip', ['netns', 'exec', host, 'nft', 'list', 'chain', 'inet', 'closed', 'in'], {
    encoding: 'utf8',
  });
  return Number(/counter packets (\d+)/.exec(rules)?.[1] ?? 0);
}

function inside(space: string, ...command: string[]): void {
  run('ip', 'netns', 'exec', space, ...command);
}

function run(program: string, ...args: string[]): void {
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
