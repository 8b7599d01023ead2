// Shapes that issuers publish so that scanners can find leaked credentials; each is anchored by a fixed prefix or frame.
const FORMATS: readonly RegExp[] = [
  /(?:AKIA|ASIA)[0-9A-Z]{12,}/, // AWS access key id
  /gh[pousr]_[0-9A-Za-z]{16,}/, // GitHub
  /github_pat_[0-9A-Za-z_]{16,}/,
  /glpat-[0-9A-Za-z_-]{16,}/, // GitLab
  /hf_[0-9A-Za-z]{16,}/, // Hugging Face
  /sk-[0-9A-Za-z_-]{16,}/, // OpenAI, Anthropic
  /[rs]k_(?:live|test)_[0-9A-Za-z]{16,}/, // Stripe
  /xox[abeoprs]-[0-9A-Za-z-]{10,}/, // Slack
  /AIza[0-9A-Za-z_-]{30,}/, // Google API key
  /ya29\.[0-9A-Za-z_-]{16,}/, // Google OAuth
  /npm_[0-9A-Za-z]{30,}/,
  /pypi-[0-9A-Za-z_-]{16,}/,
  /dckr_pat_[0-9A-Za-z_-]{16,}/,
  /eyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{8,}/, // JSON web token
  /-----BEGIN /, // PEM
  /[a-z][a-z0-9+.-]{1,15}:\/\/[^\s/:@]{1,256}:[^\s/:@]{1,256}@/i, // password in a URL
];

/** Whether `text` holds something in the format of a well-known credential; a hint for the author, not a leak detector. */
export function looksLikeCredential(text: string): boolean {
  return FORMATS.some((format) => format.test(text));
}
