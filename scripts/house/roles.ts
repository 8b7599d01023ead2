// How the house starts each role: its own folder, its own database, its own keys, loopback addresses that stay.
import { join } from 'node:path';
import { roleCommand, type Entries } from './entries.ts';
import { portOf } from './remembered-ports.ts';
import { endLeftover, startProcess, type StartedProcess } from './started-process.ts';

/** What all roles of one house share. */
export interface Ground {
  readonly root: string;
  readonly entries: Entries;
  /** Environment by process name, for faults and database URLs. */
  readonly env: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Others reach control plane and relay at their front ports. */
  readonly fronted?: boolean;
  /** Address on which control plane and relay listen; loopback unless told. */
  readonly host?: string;
  /** Words before the command of a process (or of `cli`): `ip netns exec NAME`, for one. */
  readonly prefix?: Readonly<Record<string, readonly string[]>>;
}

/** `command` behind the prefix of the process called `name`. */
function prefixed(ground: Ground, name: string, command: [string, ...string[]]): [string, ...string[]] {
  const [first, ...rest] = [...(ground.prefix?.[name] ?? []), ...command];
  return [first ?? command[0], ...rest];
}

/** Name of the port in front of a server. */
export function frontOf(name: string): string {
  return `${name}-front`;
}

/** The state folder of the process called `name`. */
export function stateOf(ground: Ground, name: string): string {
  return join(ground.root, name);
}

async function start(ground: Ground, name: string, command: [string, ...string[]]): Promise<StartedProcess> {
  await endLeftover(ground.root, name);
  const env = ground.env[name];
  return startProcess({
    name,
    root: ground.root,
    command: prefixed(ground, name, command),
    ...(env === undefined ? {} : { env }),
  });
}

/** Starts a control plane; replicas share `control-plane`'s keys and database. */
export async function startControlPlane(ground: Ground, name = 'control-plane'): Promise<StartedProcess> {
  const listen = `${ground.host ?? '127.0.0.1'}:${await portOf(ground.root, name)}`;
  const args = [
    'run',
    '--state',
    stateOf(ground, name),
    '--listen',
    listen,
    '--keys',
    join(stateOf(ground, 'control-plane'), 'keys'),
    ...(ground.fronted === true ? ['--url', await frontUrl(ground, name)] : []),
  ];
  return start(ground, name, roleCommand(ground.entries, 'control-plane', args));
}

async function frontUrl(ground: Ground, name: string): Promise<string> {
  return `https://127.0.0.1:${await portOf(ground.root, frontOf(name))}`;
}

/** Starts the relay. */
export async function startRelay(ground: Ground): Promise<StartedProcess> {
  const listen = `${ground.host ?? '127.0.0.1'}:${await portOf(ground.root, 'relay')}`;
  return start(
    ground,
    'relay',
    roleCommand(ground.entries, 'relay', ['run', '--state', stateOf(ground, 'relay'), '--listen', listen]),
  );
}

/** One machine, a handful of processes: no herd to spread over fifteen seconds. */
const AT_ONCE = ['--reconnect-within', '1s'];

/** Starts the custodian behind `relay`. */
export async function startCustodian(ground: Ground, relay: StartedProcess): Promise<StartedProcess> {
  const args = [
    'run',
    '--state',
    stateOf(ground, 'custodian'),
    '--relay',
    ground.fronted === true ? await frontUrl(ground, 'relay') : text(relay, 'url'),
    '--relay-ca',
    text(relay, 'ca_file'),
    ...AT_ONCE,
  ];
  return start(ground, 'custodian', roleCommand(ground.entries, 'custodian', args));
}

/** Starts an agent that has joined. */
export async function startAgent(ground: Ground, name: string): Promise<StartedProcess> {
  const args = ['run', '--state', stateOf(ground, name), ...AT_ONCE];
  return start(ground, name, roleCommand(ground.entries, 'agent', args));
}

/** A text field of a ready line. */
export function text(process: StartedProcess, field: string): string {
  const value = process.ready[field];
  if (typeof value !== 'string') throw new Error(`${process.name} is ready without ${field}`);
  return value;
}
