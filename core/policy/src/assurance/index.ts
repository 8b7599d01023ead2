export { ACTION_ASSURANCE, CEREMONY_ASSURANCE, type Ceremony } from './action-assurance.ts';
export { levelOf, type AssuranceLevel, type AssuranceRules, type Factor } from './factor.ts';
export { keyringRequirement, type KeyringContext } from './keyring-assurance.ts';
export { officerMembers, quorumOf, type Officer } from './officers.ts';
export * from './proposal.ts';
export {
  BY_TWO,
  CAREFUL,
  DAILY,
  FRESH,
  GRAVE,
  HIGHEST,
  REGAIN,
  requirementIn,
  type AssuranceMode,
  type Requirement,
} from './requirement.ts';
export { propose, stepProposal, type ProposalStep } from './step-proposal.ts';
export {
  checkAssurance,
  enoughBy,
  type Assured,
  type AssuranceContext,
  type AssuranceReason,
  type StepUp,
} from './step-up.ts';
