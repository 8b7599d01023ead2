/** Organisations and providers for the tests of other packages. */
export { SampleOrganisation } from './sample-organisation.fixture.ts';
export { SampleProvider } from './sample-provider.fixture.ts';
