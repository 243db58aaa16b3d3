import { SallyportError } from '#errors';
import { type Certificate, type Der, inspectPublicKey, parseTbsCertificate } from '#x509';
import { hash } from 'node:crypto';
import type { LintSubject } from './lint-rules/lint-rule.ts';
import { lintRules } from './lint-rules/rules.ts';
import type { IssuePlan, IssuerFacts } from './tbs.ts';

export interface LintFinding {
  readonly rule: string;
  readonly source: string;
  readonly detail: string;
}

/**
 * Reads the to-be-signed bytes back and holds them against RFC 5280, the template and the plan.
 * @throws SallyportError 'lint', naming each rule that is broken
 */
export function lint(tbs: Der, plan: IssuePlan, issuer: IssuerFacts): LintedTbs {
  // A copy that nobody else holds: what was linted is what will be signed.
  const own = new Uint8Array(tbs);
  const findings = lintFindings(own, plan, issuer);
  if (findings.length > 0) {
    const words = findings.map(({ rule, source, detail }) => `${rule} (${source}): ${detail}`).join('; ');
    throw new SallyportError(
      'lint',
      `the certificate of template ${plan.template.name} is not issued: ${words}`,
    );
  }
  return seal({
    tbs: own,
    tbsHash: hash('sha256', own),
    issuer: issuer.certificate,
    template: plan.template.name,
  });
}

/** Every rule that the bytes break. */
export function lintFindings(tbs: Der, plan: IssuePlan, issuer: IssuerFacts): LintFinding[] {
  let subject: LintSubject;
  try {
    const certificate = parseTbsCertificate(tbs);
    subject = { certificate, algorithm: inspectPublicKey(certificate.spki).algorithm, plan, issuer };
  } catch (error) {
    return [{ rule: 'well-formed', source: 'RFC 5280 section 4.1, X.690', detail: wordsOf(error) }];
  }
  const findings: LintFinding[] = [];
  for (const rule of lintRules) {
    const detail = rule.check(subject);
    if (detail !== null) findings.push({ rule: rule.id, source: rule.source, detail });
  }
  return findings;
}

function wordsOf(error: unknown): string {
  if (error instanceof SallyportError) return error.message;
  throw error;
}

interface LintedContent {
  readonly tbs: Der;
  /** SHA-256, hex. */
  readonly tbsHash: string;
  /** Of the issuer for which the bytes were built. */
  readonly issuer: Certificate;
  /** Of the template whose rules they keep. */
  readonly template: string;
}

const sealing = Symbol('sealing');
let contentOf: (linted: LintedTbs) => LintedContent;

/** To-be-signed bytes that passed every rule. Only `lint` makes one; copies and look-alikes are nothing. */
export class LintedTbs {
  readonly #content: LintedContent;

  constructor(permit: symbol, content: LintedContent) {
    if (permit !== sealing) throw new SallyportError('mandate', 'only lint makes a LintedTbs');
    this.#content = content;
    Object.freeze(this);
  }

  /** SHA-256 of the to-be-signed bytes, hex. */
  get tbsHash(): string {
    return this.#content.tbsHash;
  }

  static {
    contentOf = (linted) => {
      if (typeof linted !== 'object' || linted === null || !(#content in linted)) {
        throw new SallyportError('mandate', 'what is to be signed did not come from lint');
      }
      return linted.#content;
    };
  }
}

function seal(content: LintedContent): LintedTbs {
  return new LintedTbs(sealing, content);
}

/** @throws SallyportError 'mandate' for all that lint did not make */
export function lintedContent(linted: LintedTbs): LintedContent {
  return contentOf(linted);
}
