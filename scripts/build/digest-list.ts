import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';

/** A file of a release: its name, size in bytes and SHA-256 in lower-case hex. */
export type ReleaseFile = { name: string; bytes: number; sha256: string };

/** `release` lists are signed with a key that was given; `development` ones with a key made for this build alone. */
export type ReleaseLabel = 'release' | 'development';

/** One signature over the exact bytes of SHA256SUMS: algorithm, public key (SPKI DER, hex) and signature (hex). */
type ListSignature = { algorithm: string; publicKey: string; signature: string };

/** SHA256SUMS.json: the same list as SHA256SUMS for programs, with the signatures over the bytes of SHA256SUMS. */
export type SignedList = {
  format: typeof FORMAT;
  version: string;
  label: ReleaseLabel;
  files: readonly ReleaseFile[];
  signatures: readonly ListSignature[];
};

const FORMAT = 'ringfence-release-digests/1';
/** In the order in which signatures are listed. */
const ALGORITHMS = ['ed25519', 'ml-dsa-65'];

/** Reads all PEM private keys of a key file; a release is signed with Ed25519 and, when present, ML-DSA-65 (FIPS 204). */
export function readSigningKeys(pem: string): KeyObject[] {
  return requireEd25519(pemBlocks(pem, 'PRIVATE KEY').map((block) => createPrivateKey(block)));
}

/** Reads all PEM public keys of a file; every one of them must have signed. */
export function readPublicKeys(pem: string): KeyObject[] {
  return requireEd25519(pemBlocks(pem, 'PUBLIC KEY').map((block) => createPublicKey(block)));
}

/** Makes the keys of a development build; nothing vouches for them. */
export function developmentKeys(): KeyObject[] {
  return [generateKeyPairSync('ed25519').privateKey, generateKeyPairSync('ml-dsa-65').privateKey];
}

/** The public halves as one PEM text, for whoever verifies. */
export function publicPem(keys: readonly KeyObject[]): string {
  return keys.map((key) => createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString()).join('');
}

/** Describes a file's bytes for the list. */
export function describeFile(name: string, contents: Uint8Array): ReleaseFile {
  return { name, bytes: contents.length, sha256: createHash('sha256').update(contents).digest('hex') };
}

/** SHA256SUMS: `sha256sum -c` reads it, its first line says what it is so that the signature covers that too. */
export function plainList(version: string, label: ReleaseLabel, files: readonly ReleaseFile[]): string {
  const lines = files.map(({ name, sha256 }) => `${sha256}  ${name}\n`);
  return `# ${FORMAT} version=${version} label=${label}\n${lines.join('')}`;
}

/** Signs the bytes of SHA256SUMS with every key and returns the JSON form. */
export function signList(list: Omit<SignedList, 'format' | 'signatures'>, keys: readonly KeyObject[]): SignedList {
  const bytes = Buffer.from(plainList(list.version, list.label, list.files));
  const signatures = keys.map((key) => ({
    algorithm: algorithmOf(key),
    publicKey: createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('hex'),
    signature: sign(null, bytes, key).toString('hex'),
  }));
  return { format: FORMAT, ...list, signatures };
}

/**
 * Lists what is wrong with a release, empty when it holds: `plain` and `list` must agree, every trusted key must have
 * signed, and each listed file, as `read` returns it (null when absent), must have the listed bytes.
 */
export function verifyRelease(
  { plain, list }: { plain: string; list: SignedList },
  trusted: readonly KeyObject[],
  read: (name: string) => Uint8Array | null,
): string[] {
  if (list.format !== FORMAT) return ['SHA256SUMS.json has an unknown format'];
  if (plain !== plainList(list.version, list.label, list.files)) return ['SHA256SUMS and SHA256SUMS.json differ'];
  const unsigned = trusted.filter((key) => !isSignedBy(Buffer.from(plain), list.signatures, key));
  if (unsigned.length > 0) return unsigned.map((key) => `no valid ${algorithmOf(key)} signature by the given key`);
  if (list.files.length === 0) return ['the list names no file'];
  return list.files.flatMap((file) => {
    const contents = read(file.name);
    if (contents === null) return [`${file.name} is missing`];
    const { bytes, sha256 } = describeFile(file.name, contents);
    return bytes === file.bytes && sha256 === file.sha256 ? [] : [`${file.name} differs from the signed list`];
  });
}

function isSignedBy(bytes: Uint8Array, signatures: readonly ListSignature[], key: KeyObject): boolean {
  const publicKey = key.export({ type: 'spki', format: 'der' }).toString('hex');
  const found = signatures.find((signature) => signature.publicKey === publicKey);
  return found !== undefined && verify(null, bytes, key, Buffer.from(found.signature, 'hex'));
}

function pemBlocks(pem: string, kind: string): string[] {
  return pem.match(new RegExp(`-----BEGIN ${kind}-----[^-]+-----END ${kind}-----`, 'g')) ?? [];
}

function requireEd25519(keys: KeyObject[]): KeyObject[] {
  const names = keys.map(algorithmOf);
  const unknown = names.find((name) => !ALGORITHMS.includes(name));
  if (unknown !== undefined) throw new Error(`release keys are ${ALGORITHMS.join(' and ')}, not ${unknown}`);
  if (!names.includes('ed25519')) throw new Error('the key file holds no Ed25519 key in PEM');
  return keys.toSorted((a, b) => ALGORITHMS.indexOf(algorithmOf(a)) - ALGORITHMS.indexOf(algorithmOf(b)));
}

function algorithmOf(key: KeyObject): string {
  return key.asymmetricKeyType ?? 'none';
}
