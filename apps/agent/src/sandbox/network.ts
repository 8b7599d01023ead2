import type { InstalledInit } from '../sandbox-init/init-launch.ts';
import type { SandboxLevel } from './isolation.ts';

/**
 * What of a network a job has at level sandbox: nothing but these two, through an init of ours in the job's own network
 * namespace. Level process has the network of the machine and no init.
 */
export interface SandboxNetwork {
  /** What forwards. */
  readonly init: InstalledInit;
  /** The agent's egress proxy for this job. */
  readonly egress?: SandboxEgress;
  /** Connections that {@link import('./running-sandbox.ts').Running.connectInbound} makes arrive at the job's service. */
  readonly inbound?: SandboxInbound;
}

/** Where the job's egress proxy listens on the host. */
export interface SandboxEgress {
  /** Folder with the unix socket `egress.sock`, which the job's host user may connect to. */
  readonly folder: string;
}

/** How connections from outside reach the job. */
export interface SandboxInbound {
  /** Folder of this attempt that the job's host user may write: the init makes the unix socket `inbound.sock` in it. */
  readonly folder: string;
  /** Where the job's service listens on 127.0.0.1. */
  readonly port: number;
}

/** Whether a job runs below the init: only one that has something of a network, in a network namespace of its own. */
export function hasInit({
  level,
  network,
}: {
  readonly level: SandboxLevel;
  readonly network: 'none' | SandboxNetwork;
}): boolean {
  return level !== 'process' && network !== 'none';
}
