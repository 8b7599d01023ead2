export { BUILT_IN_POLICIES, BUILT_IN_ROLES, type RoleName } from './built-in-roles.ts';
export { organisationAuthoriser, ownRoleFaults } from './own-roles.ts';
