export {
  commitmentOf,
  decodeShare,
  encodeShare,
  opensCommitment,
  SHARE_BYTES,
  SHARE_COMMITMENT_BYTES,
} from './commitment.ts';
export {
  combine,
  MOST_SHARES,
  SHARE_SALT_BYTES,
  SHARED_SECRET_BYTES,
  split,
  type Share,
  type SharingPlan,
} from './shamir.ts';
