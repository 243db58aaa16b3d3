import type { parseTbsCertificate } from '#x509';
import type { CertifiedAlgorithm } from '../key-usage.ts';
import type { IssuePlan, IssuerFacts } from '../tbs.ts';

export type TbsCertificate = ReturnType<typeof parseTbsCertificate>;

/** What a rule looks at: the to-be-signed bytes read back, what was planned, and who is to sign. */
export interface LintSubject {
  readonly certificate: TbsCertificate;
  /** Of the certificate's key. */
  readonly algorithm: CertifiedAlgorithm;
  readonly plan: IssuePlan;
  readonly issuer: IssuerFacts;
}

export interface LintRule {
  readonly id: string;
  /** Where the rule comes from. */
  readonly source: string;
  /** null where the rule is kept, else words for what breaks it. */
  check(subject: LintSubject): string | null;
}
