/** Organisations, providers and contracts for the tests of other packages. */
export {
  SampleContract,
  samplePart,
  sampleTerms,
  type SamplePart,
  type SampleParty,
} from './contract/sample-contract.fixture.ts';
export { SampleOrganisation } from './sample-organisation.fixture.ts';
export { SampleProvider } from './sample-provider.fixture.ts';
