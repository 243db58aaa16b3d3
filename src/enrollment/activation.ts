import { createHmac } from 'node:crypto';
import { isSallyportError, SallyportError } from '#errors';
import { activationEvidence, type Credential, type Examination, makeCredential } from '#evidence';
import { sourceKey } from '#limits';
import { type Problem, problemOf } from './attest.ts';
import { sha256Hex } from './digests.ts';
import type { Enrollment } from './enroll.ts';
import type { EnrollmentPorts } from './enrollment-ports.ts';
import { recordable, SeenEvidence } from './offered-evidence.ts';
import { examined, type OfferedKeys } from './offered-keys.ts';
import type { MacKey } from './one-time-secret.ts';
import type { Admission, Answer } from './request.ts';

export type ActivationAnswer =
  | Answer
  | { readonly outcome: 'challenge'; readonly credential: Credential }
  /** Recorded, with its reason. `isPassing`: nothing is wrong but our list of revoked keys, and the same may be accepted another time. */
  | { readonly outcome: 'rejected'; readonly id: string; readonly isPassing: boolean };

/** A TPM takes a second or two. */
const lifetimeMilliseconds = 60_000;
const secretOctets = 32;

/** Both legs of TPM2_ActivateCredential: what only the TPM can open, and the certificate for who has opened it. */
export class Activations {
  readonly #ports: EnrollmentPorts;
  readonly #enrollment: Enrollment;

  constructor(ports: EnrollmentPorts, enrollment: Enrollment) {
    this.#ports = ports;
    this.#enrollment = enrollment;
  }

  async challenge(admission: Admission, template: string, offered: OfferedKeys): Promise<ActivationAnswer> {
    try {
      return await this.#challenge(admission, template, offered);
    } catch (error) {
      if (isSallyportError(error, 'malformed', 'unsupported', 'too-large')) {
        return this.#enrollment.malformed(admission, error);
      }
      return this.#enrollment.failed(admission, error);
    }
  }

  /** What is asked for is judged here for the first time: the secret proves the key, and nothing else. */
  async activated(admission: Admission, template: string, secret: Uint8Array): Promise<ActivationAnswer> {
    const { store, clock, authority } = this.#ports;
    try {
      const macs = authority().macKeys.map((key) => macOf(secret, key));
      const taken = await store.takeActivation({ macs, template });
      if (taken === null) return await this.#reject(admission, await this.#unknownSecret(template));
      const { deviceId, spki, examination, expiresAt, message } = taken;
      return await this.#enrollment.enroll({
        admission,
        credential: null,
        certificationRequest: { deviceId, spki, message },
        evidence: new SeenEvidence(whenProven(examination, clock.now() < expiresAt)),
        keygen: false,
        channelBindings: null,
      });
    } catch (error) {
      return this.#enrollment.failed(admission, error);
    }
  }

  async #challenge(admission: Admission, template: string, offered: OfferedKeys): Promise<ActivationAnswer> {
    const { store, clock, random, authority } = this.#ports;
    const { endorsementKey, message } = offered;
    const [macKey] = authority().macKeys;
    if (macKey === undefined) throw new SallyportError('internal', 'no MAC key is in force');
    const { fault, endorsements, unread } = examined(offered);
    if (endorsements === null) return this.#reject(admission, fault + unread);
    const known = sha256Hex(endorsementKey);
    const device = await store.deviceOfEndorsementKey(known);
    if (device.deviceId === null) return this.#reject(admission, unknownKey(known, device.disputing));
    const { deviceId } = device;
    const secret = random(secretOctets);
    const [{ keys }] = endorsements;
    const credential = makeCredential(keys.endorsementKey, keys.attestationKey, secret, random);
    // Of another challenge it is other evidence, whatever else is the same.
    const sha256 = sha256Hex(Buffer.concat([message, credential.credentialBlob]));
    const { examination, problem, isPassing } = await this.#firstAccepted(
      endorsements.map((each) =>
        recordable(activationEvidence(each.keys, { sha256, sent: each.others, fresh: null })),
      ),
      { deviceId, template },
    );
    if (problem !== null) {
      return this.#reject(admission, problem + unread, { device: deviceId, isPassing });
    }
    await store.giveActivation({
      mac: macOf(secret, macKey),
      macKeyId: macKey.id,
      deviceId,
      template,
      spki: keys.attestationKey.spki,
      examination,
      expiresAt: clock.now() + lifetimeMilliseconds,
      source: sourceKey(admission.source.address),
      message,
      entry: this.#enrollment.entryOf(admission, {
        device: deviceId,
        evidence: { sha256, format: 'endorsement' },
      }),
    });
    return { outcome: 'challenge', credential };
  }

  /** Where none is: the first that may be another time, else the first. */
  async #firstAccepted(
    examinations: readonly Examination[],
    of: { readonly deviceId: string; readonly template: string },
  ): Promise<Problem & { readonly examination: Examination }> {
    const refused = [];
    for (const examination of examinations) {
      const found = await problemOf(whenProven(examination, true), of, this.#ports);
      if (found.problem === null) return { ...found, examination };
      refused.push({ ...found, examination });
    }
    return refused.find(({ isPassing }) => isPassing) ?? refused[0]!;
  }

  /** Under a key that was taken out of the configuration a secret is not looked for, and so not known. */
  async #unknownSecret(template: string): Promise<string> {
    const { store, clock, authority } = this.#ports;
    const inForce = authority().macKeys.map(({ id }) => id);
    const waiting = await store.activationKeys({ template, now: clock.now() });
    const gone = waiting.filter((id) => !inForce.includes(id));
    const words = 'nothing was given out that has this secret, or it came before';
    if (gone.length === 0) return words;
    return `${words}; what was given out under ${gone.join(', ')} is not known any more, which is no key of secrets.macKeys now`;
  }

  async #reject(
    admission: Admission,
    problem: string,
    { device, isPassing = false }: { device?: string; isPassing?: boolean } = {},
  ): Promise<ActivationAnswer> {
    const error = new SallyportError('forbidden', 'the TPM is not accepted');
    const detail = { problem, ...(device === undefined ? {} : { device }) };
    const failure = await this.#enrollment.rejected(admission, error, detail);
    return failure ?? { outcome: 'rejected', id: admission.id, isPassing };
  }
}

/** Names nobody: an entry of several devices would stay when one of them is erased. */
function unknownKey(sha256: string, disputing: number): string {
  if (disputing === 0) return `no device of the inventory has the ekSha256 ${sha256}`;
  return `${disputing} devices were imported with the ekSha256 ${sha256} before an endorsement key had to be of one: \`device list --json\` has them; import the right one again`;
}

function whenProven(examination: Examination, fresh: boolean): Examination {
  const { statement } = examination;
  return { ...examination, statement: statement === null ? null : { ...statement, fresh } };
}

/** As one-time secrets rest: looking one up takes the same time whatever was guessed. */
function macOf(secret: Uint8Array, { key }: MacKey): Uint8Array {
  return createHmac('sha256', key).update('sallyport activation\0').update(secret).digest();
}
