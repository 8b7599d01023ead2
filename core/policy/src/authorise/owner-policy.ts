/** The built-in policy, as `policies/owner.cedar` has it; a string, so that a bundle carries it. */
export const OWNER_POLICY = `\
// The built-in policy: who may do what until an organisation writes its own. Everything that no policy permits is denied.

// An owner may do everything within the organisation that the keyring binds the role to.
@id("owner-may-all")
permit (principal is Device, action, resource)
when { principal.roles.contains("owner") && principal.org == resource.org };

// An agent may fetch what it was leased, report on it and hand in its results; nothing else.
@id("agent-may-run-jobs")
permit (
  principal is Agent,
  action in
    [Action::"keyring:read",
     Action::"evidence:read",
     Action::"agent:renew",
     Action::"object:read",
     Action::"object:write",
     Action::"grant:request",
     Action::"attempt:report",
     Action::"commit:request",
     Action::"checkpoint:store",
     Action::"log:store",
     Action::"entry:request",
     Action::"identity:request",
     Action::"opening:request",
     Action::"round:request",
     Action::"gateway:serve",
     Action::"replica:report",
     Action::"audit:read",
     Action::"audit:witness",
     Action::"lock:follow"],
  resource
)
when { principal.org == resource.org };

// Whatever another policy permits, it never reaches into another organisation.
@id("never-across-organisations")
forbid (principal, action, resource)
unless { principal.org == resource.org };
`;
