import type { NewEntry } from '#audit';
import { buildTbs, issue, lint, mintMandate, randomSerialNumber } from '#ca';
import { isSallyportError, SallyportError } from '#errors';
import { type GeneratedKey, generateKeyFor } from '#keys';
import { sourceKey } from '#limits';
import { judge, type Facts, type Verdict } from '#policy';
import type { Certificate } from '#x509';
import type { Authority, IssuerInForce } from './authority.ts';
import type { Clock } from './clock.ts';
import { derive, type Derivation } from './derive.ts';
import { sha256Hex } from './digests.ts';
import type { Outcome, RequestEntry } from './entry.ts';
import { rateWaitSeconds, templateLimit } from './layers/rate.ts';
import { notAdmitted } from './not-admitted.ts';
import { needsApproval } from './needs-approval.ts';
import type { Observations, SourceObservation } from './observations.ts';
import { observe, prepare, type Asked } from './observe.ts';
import { newEntry } from './personal-fields.ts';
import type { Admission, Answer, EnrollmentRequest } from './request.ts';
import { atAdmission, entryOf } from './request-entry.ts';
import { pollOf, summaryOf } from './request-summary.ts';
import { retryAfterSeconds } from './retry-after.ts';
import type { EnrollmentStore, IssuedRecord, LogPosition } from './store.ts';
import { supportCode } from './support-code.ts';

export interface EnrollmentPorts {
  /** What is in force now. */
  readonly authority: () => Authority;
  readonly store: EnrollmentStore;
  readonly clock: Clock;
  /** n bytes of a cryptographic generator. */
  readonly random: (n: number) => Uint8Array;
  /** Faults of ours, for the operator's eyes: never a client's. */
  readonly report: (fault: { id: string; error: unknown }) => void;
}

/** How long an intent may stay open before the sweep closes it. */
const leaseMilliseconds = 30_000;
/** A verdict is carried out at once, or the state is looked at again: it was true of then, and the process may have stood still. */
const verdictHoldsMilliseconds = 10_000;
const retryAfterFaultSeconds = 5;
/** Another request took the secret, approval or limit between our observing and reserving: observe again, so often. */
const attempts = 4;

type Plan = NonNullable<Derivation['plan']>;

/** Observe, derive, judge, issue, record: the one way to a certificate, whatever the protocol. */
export class Enrollment {
  readonly #ports: EnrollmentPorts;
  /** Requests under way by credential and key: the same request twice at once waits for its twin and finds the twin's certificate. */
  readonly #underWay = new Map<string, Promise<Answer>>();

  constructor(ports: EnrollmentPorts) {
    this.#ports = ports;
  }

  /** The gate before any expensive cryptography: the segment, and the source's rate. */
  async admit(source: SourceObservation): Promise<Admission | Answer> {
    const { store, clock, random } = this.#ports;
    const authority = this.#ports.authority();
    const id = supportCode(random);
    const time = clock.now();
    const limit = authority.references.limits.source;
    let admission: Admission;
    try {
      const { tat } = await store.admit({ sourceKey: sourceKey(source.address), limit, now: time });
      admission = { id, source, sourceTat: tat };
    } catch (error) {
      this.#ports.report({ id, error });
      // Nobody was judged, so that it is no request's entry. Not waited for: the store that failed may take its time to fail again.
      store.record(newEntry(notAdmitted(id, time, source), random)).catch(() => undefined);
      return { outcome: 'failed', id, retryAfterSeconds: retryAfterFaultSeconds };
    }
    const { facts, verdict } = this.#judgeAdmission(admission, authority, time);
    if (verdict.decision === 'allow') return admission;
    try {
      await this.#record(
        entryOf(admission, atAdmission(admission), facts, verdict, authority, time, 'refused'),
      );
    } catch (error) {
      return this.#failed(admission, error);
    }
    return refusal(admission, atAdmission(admission), verdict, authority, time);
  }

  /** Records an operation that issues nothing (cacerts). The answer may be sent when this resolves to null. */
  async answered(admission: Admission): Promise<Answer | null> {
    return this.#conclude(admission, 'answered', null);
  }

  /** Records a request that does not parse, and says so. */
  async malformed(admission: Admission, error: SallyportError): Promise<Answer> {
    const failure = await this.#conclude(admission, 'malformed', error);
    return failure ?? { outcome: 'malformed', id: admission.id, error };
  }

  /** Records a fault of ours: the client is told to try again later, and nothing of what it was. */
  async failed(admission: Admission, fault: unknown): Promise<Answer> {
    return this.#failed(admission, fault);
  }

  async enroll(request: EnrollmentRequest): Promise<Answer> {
    const { admission } = request;
    const authority = this.#ports.authority();
    let asked: Asked;
    try {
      asked = prepare(request, authority, this.#ports.random);
    } catch (error) {
      if (isSallyportError(error, 'malformed', 'unsupported', 'too-large')) {
        return this.malformed(admission, error);
      }
      return this.#failed(admission, error);
    }
    const twin = twinKey(asked);
    while (this.#underWay.has(twin)) await this.#underWay.get(twin);
    const answer = this.#decide(asked, authority).catch((error: unknown) => this.#failed(admission, error));
    this.#underWay.set(twin, answer);
    try {
      return await answer;
    } finally {
      this.#underWay.delete(twin);
    }
  }

  async #decide(asked: Asked, authority: Authority): Promise<Answer> {
    const { store, clock } = this.#ports;
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      const time = clock.now();
      const observations = await observe(asked, authority, store, time);
      const derivation = derive(observations, authority.references, 'request', time);
      const verdict = judge(authority.bundle, derivation.facts);
      const decided: Decided = { asked, authority, observations, facts: derivation.facts, verdict, time };
      const answer = await this.#carryOut(decided, derivation);
      if (answer !== 'conflict') return answer;
    }
    throw new SallyportError('conflict', 'the state of this request kept changing while it was judged');
  }

  async #carryOut(decided: Decided, { plan, issued }: Derivation): Promise<Answer | 'conflict'> {
    const { asked, observations, verdict, authority, time } = decided;
    if (verdict.decision === 'deny' || plan === null || observations.device === null) {
      if ((await this.#recordOf(decided, this.#entry(decided, 'refused'))) === 'conflict') return 'conflict';
      return refusal(asked.admission, observations, verdict, authority, time);
    }
    if (verdict.decision === 'hold') return this.#hold(decided, plan);
    if (issued !== null) return this.#redeliver(decided, issued);
    return this.#issue(decided, plan);
  }

  async #hold(decided: Decided, plan: Plan): Promise<Answer | 'conflict'> {
    const { asked, observations, facts, verdict, authority, time } = decided;
    const { id } = asked.admission;
    try {
      const held = await this.#ports.store.hold({
        requestId: id,
        deviceId: observations.device!.id,
        template: plan.template.name,
        spki: asked.spki,
        names: plan.namesDigest,
        secretId: reservable(observations),
        objections: verdict.objections,
        limit: authority.references.limits.device,
        summary: summaryOf(observations, facts, plan.names),
        polled: pollOf(asked, observations),
        now: time,
        entry: this.#newEntry(this.#entry(decided, 'held'), asked),
      });
      const waited = time - held.firstSeen;
      return {
        outcome: 'held',
        id,
        retryAfterSeconds: retryAfterSeconds(waited, authority.longestRetryAfterSeconds),
      };
    } catch (error) {
      if (isSallyportError(error, 'conflict')) return 'conflict';
      throw error;
    }
  }

  async #redeliver(decided: Decided, sha256: string): Promise<Answer | 'conflict'> {
    const stored = await this.#ports.store.certificate(sha256);
    if (stored === null) throw new SallyportError('store', `certificate ${sha256} is not in the store`);
    const { issuer, serialNumber, template, deviceId, predecessor } = stored;
    const certificate = { issuer, serialNumber, sha256, template, deviceId, predecessor };
    const entry: RequestEntry = { ...this.#entry(decided, 'redelivered'), certificate };
    if ((await this.#recordOf(decided, entry)) === 'conflict') return 'conflict';
    const { id } = decided.asked.admission;
    return { outcome: 'redelivered', id, certificate: stored.der, madeKey: null };
  }

  async #issue(decided: Decided, plan: Plan): Promise<Answer | 'conflict'> {
    const { asked, authority, observations, verdict, time } = decided;
    const { store, random, clock } = this.#ports;
    const inForce = issuerOf(plan, authority);
    const { issuer } = inForce;
    const serialNumber = randomSerialNumber(random);
    const madeKey = asked.keygen ? await makeKey(plan.template) : null;
    const spki = madeKey?.spki ?? asked.request.spki;
    const issuePlan = { ...plan, ...plan.names, ...inForce, spki, serialNumber };
    const linted = lint(buildTbs(issuePlan, issuer), issuePlan, issuer);
    const mandate = mintMandate(verdict, linted);

    const { id: deviceId, serialNumber: deviceSerialNumber, deviceClass, identifiers } = observations.device!;
    const seen = { serialNumber: deviceSerialNumber, deviceClass, identifiers };
    const { secret, approval, presenter } = observations;
    const predecessor = decided.facts.action === 'renew' ? (presenter?.sha256 ?? null) : null;
    // An approval is used up by what needed it, and left open by what did not.
    const approvalId = needsApproval(decided.facts, authority.bundle) ? approval!.id : null;
    if (clock.now() - time > verdictHoldsMilliseconds) return 'conflict';
    const reserved = await store.reserve({
      id: asked.admission.id,
      issuer: issuer.name,
      serialNumber,
      tbsSha256: mandate.tbsHash,
      deviceId,
      seen,
      template: plan.template.name,
      spki: sha256Hex(spki),
      requestSpki: asked.spki,
      names: plan.namesDigest,
      fresh: decided.facts.action === 'enroll' && !observations.device!.otherKeyCurrent,
      secret: secret === null ? null : { id: secret.id!, state: secret.state as 'live' | 'reserved' },
      approvalId,
      predecessor,
      limits: {
        device: authority.references.limits.device,
        template: templateLimit(authority.references, plan.template.name),
      },
      leaseUntil: time + leaseMilliseconds,
      now: time,
    });
    if (reserved === 'conflict') return 'conflict';

    const certificate = await issue(issuer, mandate);
    const sha256 = sha256Hex(certificate.der);
    const summary = {
      issuer: issuer.name,
      serialNumber,
      sha256,
      template: plan.template.name,
      deviceId,
      predecessor,
    };
    // The sweep may have it on the CRL already, or in a moment.
    if (clock.now() >= time + leaseMilliseconds) {
      throw new SallyportError('conflict', 'this process stood still for longer than its intent is leased');
    }
    await store.close({
      intentId: asked.admission.id,
      requestId: asked.admission.id,
      requestSpki: asked.spki,
      certificate: storedForm(certificate, summary, sha256Hex(spki), plan.namesDigest),
      seen,
      secretId: secret?.id ?? null,
      approvalId,
      issuedBefore: secret === null && !asked.keygen ? issuedBefore(observations) : null,
      now: time,
      entry: this.#newEntry({ ...this.#entry(decided, 'issued'), certificate: summary }, asked),
    });
    const { id } = asked.admission;
    return { outcome: 'issued', id, certificate: certificate.der, madeKey };
  }

  #judgeAdmission(admission: Admission, authority: Authority, time: number) {
    const { facts } = derive(atAdmission(admission), authority.references, 'admit', time);
    return { facts, verdict: judge(authority.bundle, facts) };
  }

  async #conclude(
    admission: Admission,
    outcome: Outcome,
    error: SallyportError | null,
  ): Promise<Answer | null> {
    try {
      await this.#recordAdmitted(admission, outcome, error);
      return null;
    } catch (fault) {
      return this.#failed(admission, fault);
    }
  }

  async #recordAdmitted(admission: Admission, outcome: Outcome, error: SallyportError | null): Promise<void> {
    const authority = this.#ports.authority();
    const time = this.#ports.clock.now();
    const { facts, verdict } = this.#judgeAdmission(admission, authority, time);
    const entry = entryOf(admission, atAdmission(admission), facts, verdict, authority, time, outcome);
    const told = error && { code: error.code, message: error.message };
    await this.#record({ ...entry, error: told });
  }

  #entry({ asked, observations, facts, verdict, authority, time }: Decided, outcome: Outcome): RequestEntry {
    const entry = entryOf(asked.admission, observations, facts, verdict, authority, time, outcome);
    return { ...entry, certificationRequest: asked.keeping.kept };
  }

  #record(entry: RequestEntry): Promise<LogPosition> {
    return this.#ports.store.record(this.#newEntry(entry));
  }

  /** A device that was observed may have been erased since: then it is not named. */
  async #recordOf({ asked, observations }: Decided, entry: RequestEntry): Promise<LogPosition | 'conflict'> {
    const { device, secret, presenter } = observations;
    const named = [device?.id, secret?.userNameDevice, presenter?.record?.deviceId];
    const naming = new Set(named.filter((id) => typeof id === 'string'));
    try {
      return await this.#ports.store.record(this.#newEntry(entry, asked), [...naming]);
    } catch (error) {
      if (isSallyportError(error, 'conflict')) return 'conflict';
      throw error;
    }
  }

  /** `asked` where the entry tells of a request that was read. */
  #newEntry(entry: RequestEntry, asked?: Asked): NewEntry {
    return newEntry(entry, this.#ports.random, asked?.keeping.blob);
  }

  /** Fail closed: whatever went wrong, the client gets nothing and may ask again. The log says so, if it can be written. */
  async #failed(admission: Admission, fault: unknown): Promise<Answer> {
    const { id } = admission;
    this.#ports.report({ id, error: fault });
    const words = 'a fault of the authority; its standard error has it under this id';
    const error = isSallyportError(fault) ? fault : new SallyportError('internal', words);
    await this.#recordAdmitted(admission, 'failed', error).catch(() => undefined);
    return { outcome: 'failed', id, retryAfterSeconds: retryAfterFaultSeconds };
  }
}

/** What is spent for this same request is its own already. */
function reservable({ secret }: Observations): string | null {
  return secret?.state === 'spent' ? null : (secret?.id ?? null);
}

interface Decided {
  readonly asked: Asked;
  readonly authority: Authority;
  readonly observations: Observations;
  readonly facts: Facts;
  readonly verdict: Verdict;
  readonly time: number;
}

function refusal(
  { id, source }: Admission,
  { rate }: Observations,
  { objections }: Verdict,
  { references }: Authority,
  time: number,
): Answer {
  const retryAfterSeconds = rateWaitSeconds(rate, references, source.template, time);
  return { outcome: 'refused', id, objections, retryAfterSeconds };
}

async function makeKey({ name, serverKeygen }: Plan['template']): Promise<GeneratedKey> {
  if (serverKeygen !== null) return generateKeyFor(serverKeygen);
  throw new SallyportError('internal', `the authority makes no keys for template ${name}`);
}

function issuerOf(plan: Plan, authority: Authority): IssuerInForce {
  const inForce = authority.issuers.get(plan.template.issuer);
  if (inForce === undefined) {
    throw new SallyportError('internal', `template ${plan.template.name} has no issuer in force`);
  }
  return inForce;
}

/** As `observe` looked for it. */
function issuedBefore({ presenter, issued }: Observations): IssuedRecord['issuedBefore'] {
  const ours = presenter !== null && presenter.record !== null;
  return { predecessor: ours ? presenter.sha256 : null, sha256: issued?.sha256 ?? null };
}

function storedForm(
  certificate: Certificate,
  summary: NonNullable<RequestEntry['certificate']>,
  spki: string,
  names: string,
) {
  return {
    ...summary,
    der: certificate.der,
    spki,
    names,
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
  };
}

function twinKey({ secretMacs, presenter, spki }: Asked): string {
  if (secretMacs.length > 0) {
    return `secret ${Buffer.from(secretMacs[0]!).toString('base64')} ${spki}`;
  }
  return `certificate ${presenter?.seen.sha256 ?? ''} ${spki}`;
}
