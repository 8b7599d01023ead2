export { encodingOfContract, parametersOf, type EncodedTerms } from './contract-encoding.ts';
export { debitedView, type DebitedView } from './debited-view.ts';
export { noiseAgainst, planEncoding, type UpdateEncoding } from '../distributed-noise/index.ts';
export { roundPrivacy, type RoundPrivacy } from './round-privacy.ts';
