export * from './actions.ts';
export * from './authoriser.ts';
export { OWNER_POLICY } from './owner-policy.ts';
export { PolicyError, type PolicyErrorCode } from '../policy-error.ts';
