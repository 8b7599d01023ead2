/** What an attempt of a `federate` job does: trains on its organisation's data, or sums what clients send. */
export const FEDERATION_ROLES = ['client', 'aggregator'] as const;

/** One of {@link FEDERATION_ROLES}. */
export type FederationRole = (typeof FEDERATION_ROLES)[number];
