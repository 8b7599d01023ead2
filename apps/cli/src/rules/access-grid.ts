import { isId } from '@ringfence/base';
import { ACTIONS } from '@ringfence/policy/actions';
import type { AccessAnswer, AccessQuestion } from '@ringfence/protocol/payload';
import { KEYRING_ROLES } from '@ringfence/protocol/statements';
import { z } from 'zod';
import { CliError } from '../cli-error.ts';

/** Every cell of role × action that devices can ask for. */
export const ROLE_CELLS: readonly AccessQuestion[] = Object.entries(ACTIONS)
  .filter(([, { principals }]) => principals.some((type) => type === 'Device'))
  .flatMap(([action]) => KEYRING_ROLES.map((role) => ({ principal: { roles: [role] }, action })));

const roleList = z.array(z.enum(KEYRING_ROLES)).min(1).max(8);

/** A device by its id, or roles joined by `+`. Throws CliError `usage`. */
export function askerOf(word: string): AccessQuestion['principal'] {
  if (isId('device', word)) return word;
  const roles = roleList.safeParse(word.split('+'));
  if (roles.success) return { roles: roles.data };
  throw new CliError('usage', `${word} is neither a device nor a role`, {
    next: `write a device’s id, or roles as ml-engineer+auditor; there are ${KEYRING_ROLES.join(', ')}`,
  });
}

/** What a question is about, as it is written in a file of cases. */
export function askedText({ principal, action, resource }: AccessQuestion): string {
  const who = typeof principal === 'string' ? principal : principal.roles.join('+');
  return [who, action, ...(resource === undefined ? [] : [resource])].join(' ');
}

/** A decision in a few words. */
export function decidedText({ allow, policies, why }: AccessAnswer): string {
  if (allow) return `yes, by ${policies.join(', ')}`;
  if (why === 'forbidden') return `no: forbidden by ${policies.join(', ')}`;
  return why === 'not-permitted' ? 'no: nothing permits it' : 'no: a policy could not be evaluated';
}

/** A case of a file: a question, and the answer that it should get. */
export interface AccessCase {
  readonly question: AccessQuestion;
  readonly allow: boolean;
}

/** Lines of `WHO ACTION [RESOURCE] yes|no`; `#` begins a remark. Throws CliError `usage` with the line that is none. */
export function readCases(text: string): readonly AccessCase[] {
  return text.split('\n').flatMap((line, index) => {
    const words = line.replace(/#.*/, '').trim().split(/\s+/);
    if (words[0] === '') return [];
    const [who = '', action = ''] = words;
    const answer = words.at(-1);
    if (words.length < 3 || words.length > 4 || (answer !== 'yes' && answer !== 'no'))
      throw new CliError('usage', `line ${index + 1} is no case`, {
        next: 'write WHO ACTION [RESOURCE] yes|no, such as: auditor job:read yes',
      });
    const resource = words.length === 4 ? { resource: words[2] ?? '' } : {};
    return [{ question: { principal: askerOf(who), action, ...resource }, allow: answer === 'yes' }];
  });
}
