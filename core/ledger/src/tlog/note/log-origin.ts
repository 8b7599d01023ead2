/**
 * The identity of an organisation's log at a control plane or custodian: `ringfence/KEEPER/ORGANISATION`, and `/EPOCH` from the second
 * epoch on. A restored keeper never signs the origin that it had before.
 */
export function originOf(keeper: string, org: string, epoch: number): string {
  return `ringfence/${keeper}/${org}${epoch === 1 ? '' : `/${epoch}`}`;
}
