export {
  makeRecoveryCode,
  printRecoveryCode,
  readRecoveryCode,
  RECOVERY_CODES,
  recoveryCodeDigest,
  type RecoveryCodeDigest,
} from './recovery-code.ts';
export {
  matchTotp,
  readTotp,
  TOTP_SECRET_BYTES,
  TOTP_STEP_MS,
  TOTP_STEPS_OFF,
  type Hotp,
  type TotpCode,
  type TotpTry,
} from './totp.ts';
