import { textInto, type Carry } from './draft.ts';

/** Carries an image that has its digest. */
export const imageTo: Carry = textInto((text, draft) => {
  const reference = text.replace(/^docker:/, '');
  if (!/@sha256:[0-9a-f]{64}$/.test(reference)) return false;
  draft.set('image', reference);
  return true;
}, 'an image needs its digest, name@sha256:…; a tag may change under the job (`skopeo inspect --format {{.Digest}} docker://NAME` tells it)');
