import { errorFields, type Log } from '@ringfence/base';
import {
  createAuthoriser,
  PolicyError,
  rememberDecisions,
  type AccessDecision,
  type AccessRequest,
  type Authoriser,
} from '@ringfence/policy/authorise';
import { BUILT_IN_POLICIES, organisationAuthoriser } from '@ringfence/policy/roles';

/** What a policy that cannot be read any more leaves open: what it takes to set another. */
const TO_CORRECT: readonly string[] = ['keyring:read', 'keyring:append', 'policy:read', 'policy:set'];

/** Who may do what here: the built-in roles, and what officers signed beside them. Each text has a memory of its decisions of its own. */
export class AccessPolicies implements Authoriser {
  #access = '';
  #current: Authoriser = rememberDecisions(createAuthoriser(...BUILT_IN_POLICIES));

  readonly authorise = (request: AccessRequest): AccessDecision => this.#current.authorise(request);

  /** Takes up the own roles that officers signed; a text of before that is none any more closes all but what corrects it (invariant 4). */
  use(access: string, log: Log): void {
    if (access === this.#access) return;
    this.#access = access;
    try {
      this.#current = rememberDecisions(organisationAuthoriser(access));
    } catch (error) {
      if (!(error instanceof PolicyError)) throw error;
      log.error('access.unreadable', errorFields(error));
      this.#current = correctingOnly();
    }
  }
}

function correctingOnly(): Authoriser {
  const builtIn = createAuthoriser(...BUILT_IN_POLICIES);
  return {
    authorise: (request) =>
      TO_CORRECT.includes(request.action)
        ? builtIn.authorise(request)
        : { allow: false, reasons: [{ code: 'not-evaluated' }] },
  };
}
