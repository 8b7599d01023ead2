import { concatBytes, utf8 } from '@ringfence/base';
import { sha256Hex, type Digest } from '@ringfence/crypto/sign';
import type { SignedRequest } from '@ringfence/protocol/api';

/** What a request would do, whoever sends it and whenever: the same bytes again have the same digest, though their signature differs. */
export function requestDigest({ method, path, query, body }: SignedRequest): Digest {
  const head = utf8(`ringfence/request/v1\0${method} ${path}${query === '?' ? '' : query}\0`);
  return sha256Hex(concatBytes(head, body));
}
