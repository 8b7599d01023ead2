import type { DeviceId } from '@ringfence/base';
import { ACTIONS, PolicyError, type Authoriser, type Principal } from '@ringfence/policy/authorise';
import { organisationAuthoriser, ownRoleFaults } from '@ringfence/policy/roles';
import type { AccessAnswer, AccessQuestion, accessRequest } from '@ringfence/protocol/payload';
import type { z } from 'zod';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';

/** As long as an answer may be. */
const LONGEST_FAULTS = 2_000;

/** What the roles say to each question, by a text that is only tried where one is given. Throws CustodianError `bad-statement`, `bad-request`. */
export function askAccess(
  { authoriser }: CustodianContext,
  claimed: ClaimedOrganisation,
  { access, questions }: z.output<typeof accessRequest>,
): AccessAnswer[] {
  const asked = access === undefined ? authoriser : tried(access);
  return questions.map((question) => answerOf(asked, claimed, question));
}

function tried(access: string): Authoriser {
  const faults = ownRoleFaults(access);
  if (faults.length === 0) return organisationAuthoriser(access);
  throw new CustodianError('bad-statement', faults.join('\n').slice(0, LONGEST_FAULTS), {
    next: 'correct it: docs/policy.md',
  });
}

function answerOf(asked: Authoriser, claimed: ClaimedOrganisation, question: AccessQuestion): AccessAnswer {
  const { org, project } = claimed;
  const action = Object.keys(ACTIONS).find((name): name is keyof typeof ACTIONS => name === question.action);
  if (action === undefined)
    throw new CustodianError('bad-request', 'there is no such action', { next: 'docs/roles.md lists them' });
  const { resource: type } = ACTIONS[action];
  const id = question.resource ?? (type === 'Project' ? project : org);
  try {
    const principal = principalOf(claimed, question.principal);
    const decision = asked.authorise({ principal, action, resource: { type, id, org, project } });
    if (decision.allow) return { allow: true, policies: decision.policies.toSorted(), why: 'permitted' };
    const policies = decision.reasons.flatMap((reason) => (reason.code === 'forbidden' ? [reason.policy] : []));
    return { allow: false, policies: policies.toSorted(), why: decision.reasons[0]?.code ?? 'not-permitted' };
  } catch (error) {
    if (!(error instanceof PolicyError) || error.code !== 'wrong-resource') throw error;
    // Of agents alone.
    return { allow: false, policies: [], why: 'not-permitted' };
  }
}

function principalOf({ org, keyring }: ClaimedOrganisation, asker: AccessQuestion['principal']): Principal {
  if (typeof asker === 'string') return { type: 'Device', id: asker, org, roles: keyring.rolesOf(asker) };
  const nobody = 'dev_' as DeviceId;
  return { type: 'Device', id: nobody, org, roles: asker.roles.map((role) => ({ role })) };
}
