import { fromBase64Url, fromUtf8 } from '@ringfence/base';
import { MANIFEST_OBJECT } from '@ringfence/client/pack';
import { CryptoError, openObjectBytes } from '@ringfence/crypto/open';
import { DataKey, type Digest } from '@ringfence/crypto/seal';
import { packManifest, type PackReference } from '@ringfence/protocol/payload';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { LARGEST_OBJECT } from './object-framing.ts';

/** The largest manifest of an output, checkpoint or log, which an agent sealed: of some 200 GiB in files. */
export const LARGEST_AGENT_MANIFEST = 64 * 1_048_576;

/**
 * Every object of a pack: its manifest and the chunks that it lists; undefined when the manifest is not here, does not open or is sealed in
 * more than `most` bytes.
 */
export async function objectsOfPack(
  { objects }: CustodianContext,
  { org, project }: ClaimedOrganisation,
  { manifest, key }: PackReference,
  most = LARGEST_OBJECT,
): Promise<readonly Digest[] | undefined> {
  const sealed = await objects.readWhole(manifest, most);
  if (sealed === undefined) return undefined;
  const opened = open(sealed, key, { org, project, object: MANIFEST_OBJECT, version: 1 });
  if (opened === undefined) return undefined;
  const chunks = opened.files.flatMap((file) => file.chunks.map(({ digest }) => digest));
  return [manifest, ...new Set(chunks)];
}

function open(sealed: Uint8Array, key: string, identity: Parameters<typeof openObjectBytes>[0]['identity']) {
  try {
    const dataKey = DataKey.fromBytes(Uint8Array.from(fromBase64Url(key)));
    const parsed = packManifest.safeParse(JSON.parse(fromUtf8(openObjectBytes({ dataKey, identity }, sealed))));
    return parsed.success ? parsed.data : undefined;
  } catch (error) {
    if (error instanceof CryptoError || error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}
