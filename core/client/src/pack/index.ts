export { hashPack } from './hash-pack.ts';
export { openPack, readManifest, readObject, type LayOutOptions, type OpenPackOptions } from './open-pack.ts';
export { linkOutside } from './pack-rules.ts';
export { MANIFEST_OBJECT, sealPack, type PackEntry, type SealedPack, type SealPackOptions } from './seal-pack.ts';
