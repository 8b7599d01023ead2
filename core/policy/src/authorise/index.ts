export * from './actions.ts';
export * from './authoriser.ts';
export { rememberDecisions } from './remembered-decisions.ts';
export {
  compileJobPolicy,
  jobPolicyFaults,
  NOT_EVALUATED,
  type JobPlace,
  type JobPolicy,
  type JobQuestion,
} from './job-policy.ts';
export { OWNER_POLICY } from './owner-policy.ts';
export { PolicyError, type PolicyErrorCode } from '../policy-error.ts';
