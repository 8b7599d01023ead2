/** `policies/ml-engineer.cedar`, byte for byte. */
export const ML_ENGINEER_POLICY = `\
// An ML engineer orders jobs, reads what comes of them, and serves models. Data comes in by its owner, machines by an operator.
@id("ml-engineer-may-work")
permit (
  principal is Device,
  action in
    [Action::"keyring:read",
     Action::"agent:list",
     Action::"pool:read",
     Action::"job:plan",
     Action::"job:submit",
     Action::"job:list",
     Action::"job:read",
     Action::"job:logs",
     Action::"job:stop",
     Action::"job:exec",
     Action::"job:copy",
     Action::"secret:set",
     Action::"secret:list",
     Action::"secret:remove",
     Action::"secret:use",
     Action::"evidence:read",
     Action::"profile:list",
     Action::"policy:read",
     Action::"job:start",
     Action::"job:deposit",
     Action::"label:compute",
     Action::"artifact:list",
     Action::"artifact:read",
     Action::"object:read",
     Action::"object:write",
     Action::"release:request",
     Action::"release:read",
     Action::"contract:read",
     Action::"federation:pause",
     Action::"endpoint:create",
     Action::"endpoint:list",
     Action::"endpoint:scale",
     Action::"endpoint:remove",
     Action::"token:mint",
     Action::"token:revoke"],
  resource
)
when { principal.roles.contains("ml-engineer") && principal.org == resource.org };
`;

/** `policies/data-owner.cedar`, byte for byte. */
export const DATA_OWNER_POLICY = `\
// A data owner brings data in, says how strictly it is kept, and sees which jobs use it.
@id("data-owner-may-bring-data")
permit (
  principal is Device,
  action in
    [Action::"keyring:read",
     Action::"agent:list",
     Action::"job:list",
     Action::"job:read",
     Action::"evidence:read",
     Action::"profile:list",
     Action::"policy:read",
     Action::"label:compute",
     Action::"dataset:add",
     Action::"dataset:retain",
     Action::"dataset:erase",
     Action::"dataset:budget",
     Action::"artifact:list",
     Action::"artifact:read",
     Action::"object:read",
     Action::"object:write",
     Action::"release:request",
     Action::"release:read",
     Action::"release:approve",
     Action::"release:refuse",
     Action::"contract:read",
     Action::"contract:sign",
     Action::"contract:withdraw",
     Action::"federation:pause"],
  resource
)
when { principal.roles.contains("data-owner") && principal.org == resource.org };
`;
