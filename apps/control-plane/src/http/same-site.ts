import { ControlPlaneError } from '../control-plane-error.ts';

/**
 * Refuses what a page of another site sent (Fetch Metadata, W3C; Origin, RFC 6454): a browser says so in headers that no page can set. Programs that
 * are no browsers send neither. Throws ControlPlaneError `cross-site`.
 */
export function assertSameSite(
  headers: Readonly<Record<string, unknown>>,
  { isRead }: { readonly isRead: boolean },
): void {
  const { 'sec-fetch-site': site, origin, host } = headers;
  const fits = site === undefined || site === 'same-origin' || (isRead && site === 'none');
  const isOurs = origin === undefined || (typeof host === 'string' && origin === `https://${host}`);
  if (fits && isOurs) return;
  throw new ControlPlaneError('cross-site', 'a page of another site sent this', { next: 'open /account here instead' });
}
