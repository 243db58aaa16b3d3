import { hash } from 'node:crypto';
import { hardwareSerialNumberOf, isObjectIdentifier } from '#x509';
import { type AssuranceLevel, assuranceLevels } from '../evidence.ts';
import type { EvidenceIdentities } from '../examination.ts';

/** What came of asking a verifier outside. `code`: its own word, or ours where it gave none that can be read. */
export type VerifierAnswer =
  | {
      readonly decision: 'verified';
      readonly code: string;
      /** SHA-256 of the answer, hexadecimal. */
      readonly sha256: string;
      /** What it says that the evidence holds. */
      readonly nonce: Uint8Array;
      readonly fresh: boolean;
      /** SHA-256 of the attested key's SubjectPublicKeyInfo, hexadecimal. */
      readonly spki: string;
      readonly level: AssuranceLevel;
      readonly identities: EvidenceIdentities;
    }
  | { readonly decision: 'refused'; readonly code: string; readonly sha256: string }
  /** It could not be asked, or has not answered: another time it may. */
  | { readonly decision: 'unavailable'; readonly code: string };

type Json = Readonly<Record<string, unknown>>;

/** A member that is not there, is unknown, or is not as it must be. */
class Unreadable extends Error {}

const members = ['decision', 'code', 'nonce', 'fresh', 'spki', 'level', 'identities'];

/** Whatever is no plain word that all is well, with everything that must be said beside it and nothing else, is a refusal. Never throws. */
export function parseVerifierAnswer(bytes: Uint8Array): VerifierAnswer {
  const sha256 = hash('sha256', bytes);
  try {
    const answer = objectOf(jsonOf(bytes), 'answer', members);
    const { decision } = answer;
    const code = codeOf(answer['code'], decision);
    if (decision === 'refused') return { decision, code, sha256 };
    if (decision !== 'verified') throw new Unreadable('decision');
    return {
      decision,
      code,
      sha256,
      nonce: nonceOf(answer['nonce']),
      fresh: booleanOf(answer['fresh'], 'fresh'),
      spki: textOf(answer['spki'], 'spki', /^[0-9a-f]{64}$/),
      level: levelOf(answer['level']),
      identities: identitiesOf(answer['identities']),
    };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return { decision: 'refused', code: `unreadable-${error.message}`, sha256 };
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch {
    throw new Unreadable('answer');
  }
}

function objectOf(value: unknown, name: string, known: readonly string[]): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Unreadable(name);
  if (!Object.keys(value).every((each) => known.includes(each))) throw new Unreadable(name);
  return value as Json;
}

/** Its own name for the decision where it has no code. */
function codeOf(code: unknown, decision: unknown): string {
  const form = /^[A-Za-z0-9._-]{1,64}$/;
  return code === undefined ? textOf(decision, 'decision', form) : textOf(code, 'code', form);
}

function textOf(value: unknown, name: string, form: RegExp): string {
  if (typeof value !== 'string' || !form.test(value)) throw new Unreadable(name);
  return value;
}

function booleanOf(value: unknown, name: string): boolean {
  if (typeof value !== 'boolean') throw new Unreadable(name);
  return value;
}

/** Of what was asked: nonces of ours and key authorizations are shorter. */
const longestNonce = 512;

function nonceOf(value: unknown): Uint8Array {
  const text = textOf(value, 'nonce', /^[A-Za-z0-9+/]{1,700}={0,2}$/);
  const octets = new Uint8Array(Buffer.from(text, 'base64'));
  if (octets.length > longestNonce || Buffer.from(octets).toString('base64') !== text) {
    throw new Unreadable('nonce');
  }
  return octets;
}

function levelOf(value: unknown): AssuranceLevel {
  const level = assuranceLevels.find((each) => each === value);
  if (level === undefined) throw new Unreadable('level');
  return level;
}

/** Text as it stands in a certificate of a device: no control characters, no half of a surrogate pair. */
const name = /^[^\p{Cc}\p{Cs}]{1,256}$/u;
const dotted = /^[0-9.]{3,200}$/;
const mostNames = 4;

function identitiesOf(value: unknown): EvidenceIdentities {
  const known = ['serialNumber', 'udid', 'imei', 'permanentIdentifier', 'hardwareModule'];
  const { serialNumber, udid, imei, permanentIdentifier, hardwareModule } = objectOf(
    value,
    'identities',
    known,
  );
  return {
    ...(serialNumber === undefined ? {} : { serialNumber: nameOf(serialNumber) }),
    ...(udid === undefined ? {} : { udid: nameOf(udid) }),
    ...(imei === undefined ? {} : { imei: namesOf(imei) }),
    ...(permanentIdentifier === undefined
      ? {}
      : { permanentIdentifier: permanentIdentifierOf(permanentIdentifier) }),
    ...(hardwareModule === undefined ? {} : { hardwareModule: hardwareModuleOf(hardwareModule) }),
  };
}

function namesOf(value: unknown): readonly string[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > mostNames) {
    throw new Unreadable('identities');
  }
  return value.map((each: unknown) => nameOf(each));
}

function permanentIdentifierOf(given: unknown): NonNullable<EvidenceIdentities['permanentIdentifier']> {
  const { value, assigner } = objectOf(given, 'identities', ['value', 'assigner']);
  return {
    value: nameOf(value),
    assigner: assigner === undefined ? null : oidOf(assigner),
  };
}

function hardwareModuleOf(given: unknown): NonNullable<EvidenceIdentities['hardwareModule']> {
  const { type, serialNumber } = objectOf(given, 'identities', ['type', 'serialNumber']);
  const text = hardwareSerialNumberOf(nameOf(serialNumber));
  if (text === null) throw new Unreadable('identities');
  return { type: oidOf(type), serialNumber: text };
}

/** As long as certificates may have them. */
function nameOf(given: unknown): string {
  const text = textOf(given, 'identities', name);
  if (Buffer.byteLength(text) > 256) throw new Unreadable('identities');
  return text;
}

function oidOf(given: unknown): string {
  const oid = textOf(given, 'identities', dotted);
  if (!isObjectIdentifier(oid)) throw new Unreadable('identities');
  return oid;
}
