/** `policies/officer.cedar`, byte for byte. */
export const OFFICER_POLICY = `\
// An officer says who belongs to the organisation, what is forbidden, and who is cut off. An officer orders no jobs and opens nothing of what they
// read, write or say: whoever makes the rules does not live by them.
@id("officer-may-govern")
permit (
  principal is Device,
  action in
    [Action::"keyring:read",
     Action::"keyring:append",
     Action::"join-code:create",
     Action::"agent:list",
     Action::"agent:remove",
     Action::"agent:renew",
     Action::"agent:drain",
     Action::"pool:read",
     Action::"job:list",
     Action::"job:read",
     Action::"job:stop",
     Action::"job:fence",
     Action::"secret:list",
     Action::"secret:remove",
     Action::"evidence:read",
     Action::"evidence:add",
     Action::"evidence:revoke",
     Action::"profile:list",
     Action::"profile:set",
     Action::"policy:read",
     Action::"policy:set",
     Action::"artifact:list",
     Action::"release:read",
     Action::"dataset:budget",
     Action::"contract:read",
     Action::"contract:sign",
     Action::"contract:withdraw",
     Action::"federation:pause",
     Action::"endpoint:list",
     Action::"token:revoke",
     Action::"issuer:rotate",
     Action::"gateway:allow",
     Action::"member:list",
     Action::"member:invite",
     Action::"member:remove",
     Action::"session:list",
     Action::"session:end",
     Action::"sso:list",
     Action::"sso:set",
     Action::"service-account:list",
     Action::"service-account:set",
     Action::"audit:read",
     Action::"lock:list",
     Action::"lock:set",
     Action::"lock:confirm",
     Action::"lock:lift",
     Action::"key:read",
     Action::"key:rotate",
     Action::"custodian:status"],
  resource
)
when { principal.roles.contains("officer") && principal.org == resource.org };
`;

/** `policies/operator.cedar`, byte for byte. */
export const OPERATOR_POLICY = `\
// An operator keeps machines, pool and custodian running. Nothing of what jobs read or write opens to an operator,
// so none takes a backup: it holds every key, under a passphrase that its taker chooses.
@id("operator-may-run-machines")
permit (
  principal is Device,
  action in
    [Action::"keyring:read",
     Action::"join-code:create",
     Action::"agent:list",
     Action::"agent:remove",
     Action::"agent:renew",
     Action::"agent:drain",
     Action::"pool:read",
     Action::"pool:set",
     Action::"job:list",
     Action::"job:read",
     Action::"job:stop",
     Action::"evidence:read",
     Action::"profile:list",
     Action::"policy:read",
     Action::"artifact:list",
     Action::"artifact:prune",
     Action::"endpoint:list",
     Action::"endpoint:scale",
     Action::"gateway:allow",
     Action::"lock:list",
     Action::"key:read",
     Action::"custodian:status"],
  resource
)
when { principal.roles.contains("operator") && principal.org == resource.org };
`;

/** `policies/auditor.cedar`, byte for byte. */
export const AUDITOR_POLICY = `\
// An auditor sees everything that says who did what under which rule, and no payload. An auditor changes nothing.
@id("auditor-may-look")
permit (
  principal is Device,
  action in
    [Action::"keyring:read",
     Action::"agent:list",
     Action::"pool:read",
     Action::"job:list",
     Action::"job:read",
     Action::"secret:list",
     Action::"evidence:read",
     Action::"profile:list",
     Action::"policy:read",
     Action::"artifact:list",
     Action::"release:read",
     Action::"contract:read",
     Action::"endpoint:list",
     Action::"member:list",
     Action::"session:list",
     Action::"sso:list",
     Action::"service-account:list",
     Action::"audit:read",
     Action::"lock:list",
     Action::"key:read",
     Action::"custodian:status"],
  resource
)
when { principal.roles.contains("auditor") && principal.org == resource.org };
`;

/** `policies/provider.cedar`, byte for byte. */
export const PROVIDER_POLICY = `\
// Whoever runs machines for others hands in papers that others signed: admissions and evidence. Which machines and jobs the organisation has
// beside is not a provider's business.
@id("provider-may-vouch")
permit (
  principal is Device,
  action in
    [Action::"keyring:read",
     Action::"agent:renew",
     Action::"evidence:read",
     Action::"evidence:add",
     Action::"evidence:revoke"],
  resource
)
when { principal.roles.contains("provider") && principal.org == resource.org };
`;

/** `policies/read-only.cedar`, byte for byte. */
export const READ_ONLY_POLICY = `\
// Somebody who follows what goes on: that jobs, artifacts and endpoints exist, and how they fare.
@id("read-only-may-look")
permit (
  principal is Device,
  action in
    [Action::"keyring:read",
     Action::"pool:read",
     Action::"job:list",
     Action::"job:read",
     Action::"profile:list",
     Action::"artifact:list",
     Action::"endpoint:list"],
  resource
)
when { principal.roles.contains("read-only") && principal.org == resource.org };
`;
