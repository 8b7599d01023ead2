/** What a registry asks for (RFC 9110 §11, distribution-spec token authentication). */
export type AuthChallenge =
  | { readonly scheme: 'basic' }
  | { readonly scheme: 'bearer'; readonly realm: string; readonly service: string | undefined };

/** The first challenge of a `WWW-Authenticate` header that is known here; undefined for any other. */
export function parseChallenge(header: string): AuthChallenge | undefined {
  if (header.length > 4_096) return undefined;
  const scheme = /^\s*(basic|bearer)(?:\s|$)/i.exec(header)?.[1]?.toLowerCase();
  if (scheme === 'basic') return { scheme };
  if (scheme !== 'bearer') return undefined;
  const realm = parameter(header, 'realm');
  return realm === undefined ? undefined : { scheme: 'bearer', realm, service: parameter(header, 'service') };
}

function parameter(header: string, name: string): string | undefined {
  return new RegExp(String.raw`[\s,]${name}="([^"\\]{1,2048})"`, 'i').exec(header)?.[1];
}
