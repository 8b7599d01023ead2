import { isId } from '@ringfence/base';
import type { LockTargetBody } from '@ringfence/protocol/api';
import { KEYRING_ROLES } from '@ringfence/protocol/statements';
import { CliError } from '../cli-error.ts';

/** Whom or what words name: ids say by their prefixes what they are, roles by their names, tokens by the digest that their list shows. */
export function lockTarget(word: string, project: string | undefined): LockTargetBody {
  const role = KEYRING_ROLES.find((name) => name === word);
  if (role !== undefined) return { kind: 'role', role, ...projectOf(project) };
  if (project !== undefined)
    throw new CliError('usage', '--project goes with a role', { next: 'leave it out, or name a role' });
  if (isId('device', word)) return { kind: 'device', device: word };
  if (isId('agent', word)) return { kind: 'agent', agent: word };
  if (isId('site', word)) return { kind: 'site', site: word };
  if (isId('member', word)) return { kind: 'member', member: word };
  if (isId('session', word) || /^[0-9a-f]{64}$/.test(word)) return { kind: 'token', token: word };
  throw new CliError('usage', 'this is no role, and no id of a member, device, agent, site, session or token', {
    next: 'see `ringfence device ls`, `agent ls --json`, `member ls`, `session ls`',
  });
}

function projectOf(project: string | undefined) {
  if (project === undefined) return {};
  if (isId('project', project)) return { project };
  throw new CliError('usage', '--project names no id of a project', { next: 'leave it out for all projects' });
}

/** A target in one word. */
export function targetText(target: LockTargetBody): string {
  switch (target.kind) {
    case 'role':
      return target.project === undefined ? `role ${target.role}` : `role ${target.role} in ${target.project}`;
    case 'device':
      return target.device;
    case 'agent':
      return target.agent;
    case 'site':
      return target.site;
    case 'member':
      return target.member;
    case 'token':
      return target.token;
  }
}
