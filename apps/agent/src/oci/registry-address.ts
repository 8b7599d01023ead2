import { isIP, type LookupFunction } from 'node:net';
import { wishOf } from '../egress/egress-target.ts';
import { checkedAddresses, EgressRefused, siteOf } from '../egress/open-target.ts';
import { OciError } from './oci-error.ts';

/** One request on the way to an image. */
export interface RegistryTarget {
  readonly url: URL;
  /** `host` or `host:port` that the operator listed: these alone may be this machine, or stand on its link. */
  readonly listed: ReadonlySet<string>;
  /** The site's proxy, when the request goes through it. */
  readonly proxy: string | undefined;
}

/**
 * A lookup that gives the addresses which were checked, so that a name is not asked for twice: a job's owner names any registry, and none of
 * them, nor where it leads to, may be a service of this machine that nobody listed. Throws OciError `not-allowed`, `unreachable`.
 */
export async function checkedLookup({ url, listed, proxy }: RegistryTarget): Promise<LookupFunction> {
  const port = url.port === '' ? (url.protocol === 'http:' ? 80 : 443) : Number(url.port);
  const wish = wishOf(url.hostname.replace(/^\[|\]$/g, ''), port);
  if (wish === undefined) throw new OciError('refused', 'the registry names no usable place');
  const isListed = listed.has(url.host) || listed.has(wish.key);
  let addresses: readonly string[];
  try {
    addresses = await checkedAddresses(wish, siteOf(new Set(isListed ? [wish.key] : []), proxy));
  } catch (cause) {
    throw cause instanceof EgressRefused && cause.reason === 'local-address' ? own(cause) : notFound(cause);
  }
  const found = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_host, { all }, done) => {
    const [first] = found;
    if (first === undefined) done(Object.assign(new Error('no address'), { code: 'ENOTFOUND' }), '');
    else if (all === true) done(null, found);
    else done(null, first.address, first.family);
  };
}

function own(cause: unknown): OciError {
  return new OciError('not-allowed', 'the image would come from an address of this server itself, or of its link', {
    cause,
    next: 'name another registry, or ask the site’s operator to list it with --registry or --insecure-registry',
  });
}

function notFound(cause: unknown): OciError {
  return new OciError('unreachable', 'the registry’s name leads to no address', { cause, next: 'correct the name' });
}
