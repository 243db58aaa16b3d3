import { type Certificate, parseBase64Certificate } from '#x509';
import { findAnchoredPath } from './anchored-path.ts';
import { isCountedKey } from './attesting-key.ts';
import { androidLevel, appraiseAndroid } from './android/appraise-android.ts';
import { androidValidity } from './android/chain.ts';
import type { AttestationResult, IssuerLists, ReferenceValues, RevocationStatus } from './appraisal.ts';
import { appraiseApple } from './apple/appraise-apple.ts';
import type { AssuranceLevel } from './evidence.ts';
import type { Claims, EvidenceFault, Examination } from './examination.ts';
import { appraiseExternal } from './external/appraise-external.ts';
import { keyProblem } from './key-problem.ts';
import { objectUnless } from './objection.ts';
import { statusObjections } from './status-objections.ts';
import { appraiseStep } from './step/appraise-step.ts';
import { appraiseEndorsement } from './tpm/appraise-endorsement.ts';
import { appraiseTpm } from './tpm/appraise-tpm.ts';

/**
 * Appraisal of Evidence (RFC 9334 section 8.3) by what an operator trusts, asks for and knows at `time`, in milliseconds since 1970. The same values
 * give the same result, whenever they are asked again. That a nonce was held is the examination's to say.
 */
export function appraise(
  { statement, fault, certificates: encoded }: Examination,
  values: ReferenceValues,
  status: RevocationStatus | IssuerLists | null,
  time: number,
): AttestationResult {
  if (statement === null) {
    const unread = { check: 'statement', detail: 'there is nothing to appraise' };
    return { anchors: null, level: null, objections: [fault ?? unread] };
  }
  const { claims } = statement;
  if (claims.format === 'external') {
    // Who vouches for it is the verifier that was asked, and no root.
    const isTaken = isLevel(claims.level, values.levels);
    return {
      anchors: null,
      level: claims.level,
      objections: [
        ...(fault === null ? [] : [fault]),
        ...objectUnless(isTaken, 'assurance-level', `the level is ${claims.level}`),
        ...claimsObjections(claims, values),
      ],
    };
  }
  const certificates = encoded.map(parseBase64Certificate);
  const found = findAnchoredPath(claims.format, certificates, values.anchors);
  const level = levelOf(claims) ?? found?.anchors.level ?? null;
  return {
    anchors: found?.anchors.name ?? null,
    level: found === null ? null : level,
    objections: [
      ...(fault === null ? [] : [fault]),
      ...objectUnless(found !== null, 'certification-path', 'no root of this format vouches for it'),
      ...(found === null ? [] : keyObjections(found.path)),
      ...(found === null ? [] : validityObjections(found.path, claims, time)),
      ...objectUnless(
        certificates[0]?.isCa === false,
        'leaf-ca',
        'the certificate of the key is one of a CA',
      ),
      ...objectUnless(
        found === null || isCountedKey({ statement, certificates: encoded }, found.path),
        'attesting-key',
        'another key vouches for it than the one by which its devices are counted',
      ),
      // Without a path nobody has said the level of a TPM.
      ...objectUnless(
        isLevel(level, values.levels) || (found === null && level === null),
        'assurance-level',
        `the level is ${level ?? 'unknown'}`,
      ),
      ...statusObjections(status, found?.path ?? null, values.maximumStatusAgeSeconds, time),
      ...claimsObjections(claims, values),
    ],
  };
}

/** Each format's own floors. Where none are set for it, nothing of it is accepted. */
function claimsObjections(
  claims: Claims,
  { android, apple, endorsement, external, step, tpm }: ReferenceValues,
): readonly EvidenceFault[] {
  switch (claims.format) {
    case 'android-key':
      return android === undefined ? notSet(claims) : appraiseAndroid(claims, android);
    case 'apple':
      return apple === undefined ? notSet(claims) : appraiseApple(claims, apple);
    case 'step':
      return step === undefined ? notSet(claims) : appraiseStep(claims, step);
    case 'tpm':
    case 'idevid':
      return tpm === undefined ? notSet(claims) : appraiseTpm(claims, tpm);
    case 'external':
      return external === undefined ? notSet(claims) : appraiseExternal(claims, external);
    case 'endorsement':
      return endorsement === undefined ? notSet(claims) : appraiseEndorsement(claims, endorsement);
  }
}

function notSet({ format }: Claims): readonly EvidenceFault[] {
  return [{ check: 'reference-values', detail: `there are none for ${format}` }];
}

/** null: the evidence does not say it. Apple attests no key but those of a Secure Enclave. */
function levelOf(claims: Claims): AssuranceLevel | null {
  switch (claims.format) {
    case 'android-key':
      return androidLevel(claims);
    case 'apple':
      return 'secure-enclave';
    case 'step':
      return claims.kind === 'yubikey' ? 'security-key' : null;
    case 'external':
      return claims.level;
    case 'tpm':
    case 'idevid':
    case 'endorsement':
      return null;
  }
}

function isLevel(level: AssuranceLevel | null, allowed: ReferenceValues['levels']): boolean {
  if (level === null) return false;
  return allowed === null ? level !== 'software' : allowed.includes(level);
}

/** Whoever can make a signature of one of them makes up all that is below it. The first key is the examination's to judge, or the request's whose key it is. */
function keyObjections([, ...issuers]: readonly Certificate[]): readonly EvidenceFault[] {
  return issuers.flatMap((certificate, at) => {
    const problem = keyProblem(certificate);
    if (problem === null) return [];
    return [{ check: 'path-key', detail: `certificate ${at + 1} above that of the key ${problem}` }];
  });
}

/** RFC 5280 section 6.1: a trust anchor is no part of the path, and neither are its dates. */
function validityObjections(
  path: readonly Certificate[],
  claims: Claims,
  time: number,
): readonly EvidenceFault[] {
  if (claims.format === 'android-key') return androidValidity(path, claims.provisioning, time);
  const inDate = path.slice(0, -1).every(({ notBefore, notAfter }) => notBefore <= time && time <= notAfter);
  return objectUnless(inDate, 'certificate-validity', 'a certificate of the path is not in date');
}
