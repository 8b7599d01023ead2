import { chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { utf8 } from '@ringfence/base';
import { EgressCount } from '../egress/egress-count.ts';
import { EgressProxy } from '../egress/egress-proxy.ts';
import { siteOf } from '../egress/open-target.ts';
import type { LinkContext } from '../link/link-context.ts';
import { proxyVariables, type InstalledInit } from '../sandbox-init/init-launch.ts';
import { installLibraries } from '../sandbox-init/install-libraries.ts';
import type { SandboxInbound, SandboxSpec } from '../sandbox/index.ts';
import type { AttemptWork } from './attempt-work.ts';
import { jobUser } from './lay-out.ts';

/** Beside the Node that they belong to. */
const LIBRARIES = `node-${process.version}-libraries`;

/** What of a network one sandbox of an attempt is to have. */
export interface NetworkWish {
  readonly name: 'setup' | 'run';
  /** `host:port` that it may reach. */
  readonly reach: readonly string[];
  /** Where its service listens. */
  readonly port: number | undefined;
}

/** A sandbox with its network, and how that ends. */
export interface JobNetwork {
  readonly spec: SandboxSpec;
  readonly close: () => void;
}

/** The mirrors that the site's operator named, and nothing of what the job lists: setup sees code that nobody has approved. */
export function setupNetwork({ machine }: LinkContext): NetworkWish {
  return { name: 'setup', reach: machine.network.mirrors, port: undefined };
}

/** What the signed workload lists. */
export function runNetwork({ payload }: AttemptWork): NetworkWish {
  return { name: 'run', reach: payload?.workload.egress ?? [], port: payload?.workload.service?.port };
}

/** Opens what `wish` asks for, and returns `spec` with it; as it was where there is nothing to open. */
export async function openJobNetwork(
  context: LinkContext,
  work: AttemptWork,
  spec: SandboxSpec,
  wish: NetworkWish,
): Promise<JobNetwork> {
  const init = initIn(context, spec);
  const inbound = wish.port === undefined ? undefined : inboundOf(context, work, { slot: spec.slot, port: wish.port });
  const served: SandboxSpec = inbound === undefined ? spec : { ...spec, network: { init, inbound } };
  if (wish.reach.length === 0) return { spec: served, close: () => {} };
  const proxy = proxyOf(context, work, wish.reach);
  const close = (): void => proxy.close();
  // There is no network namespace to keep it in: the machine's own loopback.
  if (spec.level === 'process') {
    const env = { ...proxyVariables(await proxy.listenOnLoopback()), ...spec.env };
    return { spec: { ...served, env }, close };
  }
  const folder = join(folderOf(work), `egress-${wish.name}`);
  await proxy.listenIn(folder);
  const network = { init, egress: { folder }, ...(inbound === undefined ? {} : { inbound }) };
  return { spec: { ...spec, network }, close };
}

/** An image may have another C library than the init's Node, or none: then it brings its own. */
function initIn({ machine: { network, folders } }: LinkContext, { root }: SandboxSpec): InstalledInit {
  if (root === undefined) return network.init;
  const libraries = installLibraries(join(network.init.node, 'bin', 'node'), join(folders.runtimes, LIBRARIES));
  return { ...network.init, libraries };
}

function proxyOf({ clock, link, machine }: LinkContext, work: AttemptWork, reach: readonly string[]): EgressProxy {
  work.egress ??= new EgressCount((line) =>
    work.log?.write(work.view?.phase === 'setup' ? 'setup' : 'err', utf8(line)),
  );
  const site = siteOf(machine.network.allowLocal, link.outer.proxy);
  return new EgressProxy({ allow: new Set(reach), site, count: work.egress, clock });
}

function inboundOf(context: LinkContext, work: AttemptWork, at: { slot: number; port: number }): SandboxInbound {
  const folder = join(folderOf(work), 'inbound');
  mkdirSync(folder, { mode: 0o700 });
  const user = jobUser(context, at.slot);
  if (user !== null) chownSync(folder, user.uid, user.gid);
  return { folder, port: at.port };
}

function folderOf({ folder }: AttemptWork): string {
  if (folder === undefined) throw new TypeError('only a prepared attempt has a network');
  return folder;
}
