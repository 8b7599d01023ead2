import type { AccessDecision, AccessRequest, Authoriser } from './authoriser.ts';

/** How many decisions are remembered unless told. */
const MOST_DECISIONS = 8_192;

/**
 * Remembers the decisions of an authoriser: they follow from its policies and the request alone, so other policies take an authoriser, and a
 * memory, of their own. The decision that was asked for longest ago is forgotten first.
 */
export function rememberDecisions(authoriser: Authoriser, most: number = MOST_DECISIONS): Authoriser {
  const known = new Map<string, AccessDecision>();
  return {
    authorise: (request) => {
      const key = keyOf(request);
      const remembered = known.get(key);
      if (remembered !== undefined) {
        if (known.size === most) {
          known.delete(key);
          known.set(key, remembered);
        }
        return remembered;
      }
      const decision = authoriser.authorise(request);
      if (known.size === most) forgetOldest(known);
      known.set(key, decision);
      return decision;
    },
  };
}

/** Everything of a request; JSON, since an id may hold any separator. */
function keyOf({ principal, action, resource }: AccessRequest): string {
  const roles =
    principal.type === 'Device' ? principal.roles.flatMap(({ role, project }) => [role, project ?? null]) : 0;
  return JSON.stringify([
    principal.type,
    principal.id,
    principal.org,
    roles,
    action,
    resource.type,
    resource.id,
    resource.org,
    resource.project,
  ]);
}

function forgetOldest(known: Map<string, AccessDecision>): void {
  const { value: oldest } = known.keys().next();
  if (oldest !== undefined) known.delete(oldest);
}
