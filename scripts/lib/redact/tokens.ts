const WORD = '[A-Za-z0-9_-]';

/**
 * Tokens of one word, by their issuer: a part that every such token contains, which is quick to search for, and the whole.
 * Both are sources of regular expressions. Formats: the issuers' documentation, and the rules of secret scanners.
 */
export const TOKENS: [hint: string, token: string][] = [
  // AWS, https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
  ['(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]', '(?<![A-Z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Z0-9])'],
  // GitHub, GitLab
  ['gh[pousr]_|github_pat', '(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\\w{30,})'],
  [
    'gl(?:pat|dt|rt|rtr|cbt|ptt|oas|ft|soat|imt|agent|ffct|wt)-',
    'gl(?:pat|dt|rt|rtr|cbt|ptt|oas|ft|soat|imt|agent|ffct|wt)-[\\w.-]{20,}',
  ],
  // Slack
  ['xox[a-z]', `xox[a-z](?:\\.xox[a-z])?-${WORD}{10,}`],
  ['xapp-', `xapp-\\d-${WORD}{10,}`],
  // Google: API keys, OAuth tokens, client secrets, refresh tokens
  ['AIza', `(?<!${WORD})AIza${WORD}{35}`],
  ['ya29', `(?<!${WORD})ya29\\.[\\w.-]{20,}`],
  ['GOCSPX', `GOCSPX-${WORD}{20,}`],
  ['1\\/\\/0', `(?<!\\w)1//0${WORD}{20,}`],
  // Stripe
  ['k_live_|k_test_', '(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{10,}'],
  ['whsec_', 'whsec_[A-Za-z0-9+/=]{20,}'],
  // Registries: npm, PyPI, Docker, RubyGems, crates.io
  ['npm_', 'npm_[A-Za-z0-9]{30,}'],
  ['pypi-', `pypi-AgE${WORD}{40,}`],
  ['dckr_', `dckr_[po]at_${WORD}{20,}`],
  ['rubygems_', 'rubygems_[a-f0-9]{40,}'],
  ['cio[A-Za-z0-9]{32}', '(?<!\\w)cio[A-Za-z0-9]{32}(?!\\w)'],
  // Models: OpenAI, Anthropic, Hugging Face
  ['sk-', `(?<!${WORD})sk-(?:proj|ant|svcacct|admin|or)-${WORD}{20,}`],
  ['sk-', `(?<!${WORD})sk-[A-Za-z0-9]{32,}`],
  ['hf_', '(?<!\\w)hf_[A-Za-z0-9]{30,}'],
  // SendGrid, Mailgun, Twilio, Mailchimp
  ['SG\\.', `SG\\.${WORD}{16,32}\\.${WORD}{16,}`],
  ['key-[0-9a-f]', '(?<!\\w)key-[0-9a-f]{32}(?!\\w)'],
  ['SK[0-9a-f]{8}', '(?<!\\w)SK[0-9a-f]{32}(?!\\w)'],
  ['-us\\d', '(?<!\\w)[0-9a-f]{32}-us\\d{1,2}(?!\\w)'],
  // Shopify, Square, DigitalOcean, HashiCorp, Databricks, Grafana, New Relic, Linear, Notion, Atlassian, Postman
  ['shp[a-z]{2}_', 'shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32,}'],
  ['sq0', `sq0(?:atp|csp|idp)-${WORD}{20,}`],
  ['do[opr]_v1', 'do[opr]_v1_[a-f0-9]{40,}'],
  ['hv[sbr]\\.', `(?<!\\w)hv[sbr]\\.${WORD}{24,}`],
  ['atlasv1', `(?<=\\w{14})\\.atlasv1\\.${WORD}{40,}`],
  ['dapi', '(?<!\\w)dapi[a-f0-9]{32}'],
  ['gl(?:sa|c)_', 'gl(?:sa|c)_[A-Za-z0-9_+/=]{32,}'],
  ['NRAK', 'NRAK-[A-Z0-9]{27}'],
  ['lin_', 'lin_(?:api|oauth)_[A-Za-z0-9]{32,}'],
  ['ntn_', '(?<!\\w)ntn_[A-Za-z0-9]{40,}'],
  ['ATATT3', 'ATATT3[\\w=-]{50,}'],
  ['PMAK', 'PMAK-[a-f0-9]{24}-[a-f0-9]{34}'],
  // Telegram, Facebook, Supabase, PlanetScale, age, Doppler, Fly
  [':AA', `(?<!\\w)\\d{8,10}:AA${WORD}{33}`],
  ['EAA', '(?<!\\w)EAA[A-Za-z0-9]{80,}'],
  ['sbp_', 'sbp_[a-f0-9]{40}'],
  ['pscale_', 'pscale_(?:tkn|pw|oauth)_[\\w.-]{30,}'],
  ['AGE-SECRET', 'AGE-SECRET-KEY-1[A-Z0-9]{50,}'],
  ['dp\\.', '(?<!\\w)dp\\.(?:pt|st|ct|sa|scim|audit)\\.[\\w.-]{36,}'],
  ['fo1_', 'fo1_[\\w-]{40,}'],
  // Hashes of passwords: bcrypt, argon2, SHA-crypt
  ['\\$2[abxy]\\$', '\\$2[abxy]\\$\\d\\d\\$[./A-Za-z0-9]{53}'],
  ['\\$argon2', '\\$argon2id?\\$[\\w$=,+/]{40,}'],
  ['\\$[56]\\$', '\\$[56]\\$[\\w$./=]{40,}'],
];
