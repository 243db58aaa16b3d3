import { SallyportError } from '#errors';
import { judgedBy, type Verdict } from '#policy';
import { type Der, equalBytes } from '#x509';
import { hash } from 'node:crypto';
import { isLoadedIssuer, type Issuer } from './issuer.ts';
import { lintedContent, type LintedTbs } from './lint.ts';

interface MandateContent {
  readonly tbs: Der;
  readonly tbsHash: string;
  /** DER of the certificate of the issuer that is to sign. */
  readonly issuer: Der;
}

const minting = Symbol('minting');
const minted = new WeakSet<LintedTbs | Verdict>();
let takeContent: (mandate: Mandate) => MandateContent;

/**
 * The authority to sign one to-be-signed certificate, by one issuer, once. Only `mintMandate` makes one. It has no
 * content to copy, print or send: whatever looks like one and is not, is refused.
 */
export class Mandate {
  /** null: redeemed. */
  #content: MandateContent | null;
  readonly #tbsHash: string;

  constructor(permit: symbol, content: MandateContent) {
    if (permit !== minting) throw new SallyportError('mandate', 'only an allow verdict mints a mandate');
    this.#content = content;
    this.#tbsHash = content.tbsHash;
    Object.freeze(this);
  }

  /** SHA-256 of the to-be-signed bytes, hex: what the intent records. */
  get tbsHash(): string {
    return this.#tbsHash;
  }

  static {
    takeContent = (mandate) => {
      if (typeof mandate !== 'object' || mandate === null || !(#content in mandate)) {
        throw new SallyportError('mandate', 'what was given is not a mandate');
      }
      const content = mandate.#content;
      if (content === null) throw new SallyportError('mandate', 'the mandate was redeemed before');
      mandate.#content = null;
      return content;
    };
  }
}

/**
 * @throws SallyportError 'mandate' unless the judge itself made the verdict, and it allows without any objection; and
 * where this verdict or these bytes have had their mandate: one judgement is one certificate, and one serial number is
 * signed once (RFC 5280 section 4.1.2.2)
 */
export function mintMandate(verdict: Verdict, linted: LintedTbs): Mandate {
  const judged = judgedBy(verdict);
  if (judged === null) throw new SallyportError('mandate', 'the verdict did not come from the judge');
  if (verdict.decision !== 'allow' || verdict.objections.length > 0) {
    throw new SallyportError('mandate', `a verdict of ${verdict.decision} mints no mandate`);
  }
  const { tbs, tbsHash, issuer, template } = lintedContent(linted);
  // Being let in is not being given a certificate, and one template's verdict gives nothing of another.
  if (judged.action === 'admit') {
    throw new SallyportError('mandate', 'a verdict on admission mints no mandate');
  }
  if (judged.template !== template) {
    throw new SallyportError(
      'mandate',
      `the verdict is on template ${judged.template}, and these bytes are of template ${template}`,
    );
  }
  if (minted.has(linted)) throw new SallyportError('mandate', 'these bytes have had their mandate');
  if (minted.has(verdict)) throw new SallyportError('mandate', 'this verdict has had its mandate');
  minted.add(linted).add(verdict);
  return new Mandate(minting, { tbs, tbsHash, issuer: issuer.der });
}

/**
 * The bytes to sign. For the signer alone: the folder's door does not lead here. The mandate is spent by the first
 * attempt, also by one that fails.
 */
export function redeemMandate(mandate: Mandate, issuer: Issuer): Der {
  const { tbs, tbsHash, issuer: planned } = takeContent(mandate);
  if (!isLoadedIssuer(issuer)) {
    throw new SallyportError('mandate', 'the issuer was not loaded with its checks');
  }
  if (!equalBytes(issuer.certificate.der, planned)) {
    throw new SallyportError('mandate', `the mandate is for another issuer than ${issuer.name}`);
  }
  if (hash('sha256', tbs) !== tbsHash) {
    throw new SallyportError('mandate', 'the bytes to sign are not the linted ones');
  }
  return tbs;
}
