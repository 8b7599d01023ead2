export { decodeSum } from './decode-sum.ts';
export { encodeUpdate } from './encode-update.ts';
export { planEncoding, type EncodingWishes } from './plan-encoding.ts';
export { noiseAgainst, type NoiseAgainst } from './privacy-events.ts';
export { rotationSeed } from './rotation-seed.ts';
export { roundedSensitivity, type RoundedSensitivity } from './sensitivity.ts';
export { encodingOf, type EncodingTerms, type UpdateEncoding } from './update-encoding.ts';
export { chooseWidth, wrapLog2, type RingLoad } from './wrap-around.ts';
