import { realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { OrgId } from '@ringfence/base';
import { AgentError } from '../agent-error.ts';
import { DataError } from './data-error.ts';

/** A folder that the operator listed, and for whom. */
export interface DataRoot {
  /** Undefined on an agent that has joined one organisation alone. */
  readonly org: OrgId | undefined;
  readonly path: string;
}

/** The folders that `org` may register data below. */
export function rootsFor(roots: readonly DataRoot[], org: OrgId): readonly string[] {
  return roots.flatMap((root) => (root.org === undefined || root.org === org ? [root.path] : []));
}

/**
 * Why these roots cannot serve an agent that has joined `orgs`: with several, a root that names none would show each of them the data of the
 * others. Undefined when they can.
 */
export function rootsRefusal(roots: readonly DataRoot[], orgs: readonly OrgId[]): AgentError | undefined {
  if (orgs.length > 1 && roots.some(({ org }) => org === undefined))
    return new AgentError('bad-config', '--data-root names no organisation, and this agent has joined several', {
      next: `write for whom it is: ${orgs.map((org) => `--data-root ${org}=DIR`).join(' or ')}`,
    });
  if (roots.every(({ org }) => org === undefined || orgs.includes(org))) return undefined;
  return new AgentError('bad-config', '--data-root names an organisation that this agent has not joined', {
    next: `it has joined ${orgs.join(', ')}`,
  });
}

/**
 * The folder at `path` once every link on the way is followed, when it lies below one of `roots`. Throws DataError `not-below-root`,
 * `not-found`; whether something exists outside the roots cannot be told from the answer.
 */
export function findDataFolder(path: string, roots: readonly string[]): string {
  const real = realOf(path);
  const below = roots.some((root) => {
    const top = realOf(root);
    return top !== undefined && real !== undefined && (real === top || real.startsWith(`${top}/`));
  });
  // A path that leads nowhere counts as below a root only by its own letters.
  const named = roots.some((root) => path === root || path.startsWith(`${root}/`));
  if (real !== undefined && !below) throw notBelow(roots);
  if (real === undefined && !named) throw notBelow(roots);
  if (real === undefined || !statSync(real).isDirectory())
    throw new DataError('not-found', 'there is no such folder at this site', { next: 'look for it on that machine' });
  return real;
}

/** Whether the folders above `folder` let users pass that own nothing: jobs run as such. */
export function isPassable(folder: string): boolean {
  for (let at = dirname(folder); ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

function realOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

function notBelow(roots: readonly string[]): DataError {
  return new DataError('not-below-root', 'this is not below a folder that the operator of the site listed for data', {
    next:
      roots.length === 0
        ? 'ask the operator to start the agent with --data-root DIR, or ORG=DIR where it has joined several organisations'
        : 'name a folder below one of its --data-root folders',
  });
}
