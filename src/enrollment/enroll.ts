import type { NewEntry } from '#audit';
import { buildTbs, issue, lint, mintMandate, randomSerialNumber } from '#ca';
import { isSallyportError, SallyportError } from '#errors';
import { sourceKey } from '#limits';
import { judge } from '#policy';
import type { Authority } from './authority.ts';
import type { Decided } from './decided.ts';
import { derive, type Derivation } from './derive.ts';
import { sha256Hex } from './digests.ts';
import type { Outcome, RequestEntry } from './entry.ts';
import { contestOf, lineageSeen } from './lineage.ts';
import { evidenceSeen } from './evidence-seen.ts';
import { notAdmitted } from './not-admitted.ts';
import { needsApproval } from './needs-approval.ts';
import type { SourceObservation } from './observations.ts';
import { Consultation } from './consultation.ts';
import {
  asSeen,
  isFresh,
  issuedBefore,
  issuerOf,
  limitsOf,
  makeKey,
  orderOf,
  type Plan,
  reservable,
  storedForm,
  summaryOfIssued,
} from './plan.ts';
import { attest, type Attested, type Attesting } from './attest.ts';
import { type GivenNonce, giveNonce, type NonceCredential } from './evidence-nonce.ts';
import { prepare, twinKey, type Asked } from './observe.ts';
import { newEntry } from './personal-fields.ts';
import type { Admission, Answer, EnrollmentRequest } from './request.ts';
import { refusal } from './refusal.ts';
import { judgeAdmission, Records, retryAfterFaultSeconds } from './records.ts';
import { atAdmission, entryOf } from './request-entry.ts';
import { keptOrderOf, pollOf, summaryOf } from './request-summary.ts';
import { anyTimeSeconds, retryAfterSeconds } from './retry-after.ts';
import type { EnrollmentPorts } from './enrollment-ports.ts';
import { Unstored } from './unstored.ts';
import { usedEvidence } from './used-evidence.ts';
import type { LogPosition } from './store.ts';
import { supportCode } from './support-code.ts';

/** How long an intent may stay open before the sweep closes it. */
const leaseMilliseconds = 30_000;
/** A verdict is carried out at once, or the state is looked at again: it was true of then, and the process may have stood still. */
const verdictHoldsMilliseconds = 10_000;
const privilegeWithdrawn = 9; // RFC 5280 section 5.3.1
/** Another request took the secret, approval or limit between our observing and reserving: observe again, so often; two of them are for those outside. */
const attempts = 5;

/** Observe, derive, judge, issue, record: the one way to a certificate, whatever the protocol. */
export class Enrollment {
  readonly #ports: EnrollmentPorts;
  readonly #records: Records;
  /** Requests under way by credential and key: the same request twice at once waits for its twin and finds the twin's certificate. */
  readonly #underWay = new Map<string, Promise<Answer>>();
  /** The same answer to a challenge twice at once is judged once: others may have to be asked about it. */
  readonly #attesting = new Map<string, Promise<Attested>>();

  constructor(ports: EnrollmentPorts) {
    this.#ports = ports;
    this.#records = new Records(ports);
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
    const { facts, verdict } = judgeAdmission(admission, authority, time);
    if (verdict.decision === 'allow') return admission;
    try {
      await this.#records.record(
        entryOf(admission, atAdmission(admission), facts, verdict, authority, time, 'refused'),
      );
    } catch (error) {
      return this.#records.failed(admission, error);
    }
    return refusal(admission, atAdmission(admission), verdict, authority, time);
  }

  /** Records an operation that issues nothing (cacerts). The answer may be sent when this resolves to null. */
  async answered(admission: Admission): Promise<Answer | null> {
    return this.#records.conclude(admission, 'answered', null);
  }

  /** Records a request that does not parse, and says so. */
  async malformed(admission: Admission, error: SallyportError): Promise<Answer> {
    const failure = await this.#records.conclude(admission, 'malformed', error);
    return failure ?? { outcome: 'malformed', id: admission.id, error };
  }

  /** Records what the rules of its protocol refuse. The answer may be sent when this resolves to null. */
  async rejected(
    admission: Admission,
    error: SallyportError,
    detail: Readonly<Record<string, unknown>>,
  ): Promise<Answer | null> {
    return this.#records.conclude(admission, 'rejected', error, detail);
  }

  /** The entry of an operation that asks for no certificate, for the transaction in which it is done. `evidence`: what is kept beside it. */
  entryOf(
    admission: Admission,
    detail: Readonly<Record<string, unknown>>,
    outcome: 'answered' | 'revoked' = 'answered',
    evidence: Uint8Array | null = null,
  ): NewEntry {
    return this.#records.admitted(admission, outcome, null, detail, evidence);
  }

  /** What evidence proves that comes before its request. */
  async attest(attesting: Attesting): Promise<Attested> {
    const { account, deviceId, evidence, nonce } = attesting;
    const twin = `${account} ${deviceId} ${sha256Hex(evidence.bytes)} ${sha256Hex(nonce.token)}`;
    const known = this.#attesting.get(twin);
    if (known !== undefined) return known;
    const attested = attest(attesting, this.#ports);
    this.#attesting.set(twin, attested);
    try {
      return await attested;
    } finally {
      this.#attesting.delete(twin);
    }
  }

  /** Records a fault of ours: the client is told to try again later, and nothing of what it was. */
  async failed(admission: Admission, fault: unknown): Promise<Answer> {
    return this.#records.failed(admission, fault);
  }

  /** What evidence is to hold of who presents the credential, and the answer that gives it. */
  async giveNonce(
    admission: Admission,
    credential: NonceCredential,
    length: number,
  ): Promise<Answer | GivenNonce> {
    try {
      return await giveNonce(credential, length, this.entryOf(admission, {}), this.#ports);
    } catch (error) {
      return this.#records.failed(admission, error);
    }
  }

  async enroll(request: EnrollmentRequest): Promise<Answer> {
    const { admission } = request;
    let authority = this.#ports.authority();
    let asked: Asked;
    let twin: string;
    try {
      asked = prepare(request, authority, this.#ports.random);
      twin = twinKey(asked);
      while (this.#underWay.has(twin)) {
        await this.#underWay.get(twin);
        // It may have waited for long.
        if (authority === this.#ports.authority()) continue;
        authority = this.#ports.authority();
        asked = prepare(request, authority, this.#ports.random);
        twin = twinKey(asked);
      }
    } catch (error) {
      if (isSallyportError(error, 'malformed', 'unsupported', 'too-large')) {
        return this.malformed(admission, error);
      }
      return this.#records.failed(admission, error);
    }
    const answer = this.#decide(asked, authority).catch((error: unknown) =>
      this.#records.failed(admission, error),
    );
    this.#underWay.set(twin, answer);
    try {
      return await answer;
    } finally {
      this.#underWay.delete(twin);
    }
  }

  async #decide(asked: Asked, authority: Authority): Promise<Answer> {
    const { store, clock } = this.#ports;
    const outside = new Consultation(asked, authority, store);
    try {
      let unstored = null as Unstored | null;
      for (let attempt = 0; attempt < attempts; attempt += 1) {
        const time = clock.now();
        const seen = await outside.observe(time);
        if (seen === null) continue;
        const derivation = derive(seen.observations, authority.references, 'request', time);
        const verdict = judge(authority.bundle, derivation.facts);
        const decided: Decided = { asked, authority, ...seen, facts: derivation.facts, verdict, time };
        unstored?.demandApart(verdict, derivation);
        const answer = await this.#carryOut(decided, derivation).catch((error: unknown) => {
          unstored = new Unstored(error, decided);
          return 'conflict' as const;
        });
        if (answer === 'conflict') continue;
        if (answer.outcome === 'refused') outside.failed(verdict.objections[0]);
        return await this.#deliver(decided, answer, outside);
      }
      throw new SallyportError('conflict', 'the state of this request kept changing while it was judged');
    } catch (error) {
      outside.failed();
      throw error;
    }
  }

  /** What is stored leaves when the workflows of its template let it. What nobody has had, and one refuses, is revoked. */
  async #deliver(decided: Decided, answer: Answer, outside: Consultation): Promise<Answer> {
    if (answer.outcome !== 'issued' && answer.outcome !== 'redelivered') return answer;
    const { asked } = decided;
    const { store, clock, revoked } = this.#ports;
    const { summary, undelivered } = answer;
    const withheld = await outside.withheld(answer.certificate);
    if (withheld === null) {
      if (undelivered) await store.delivered(summary.sha256);
      return answer;
    }
    const { error, objection } = withheld;
    // A key that was made is kept nowhere: its certificate can be delivered no other time.
    const isFinal = withheld.isFinal || answer.madeKey !== null;
    const isWithdrawn = isFinal && undelivered;
    const told = { certificate: summary, error: { code: error.code, message: error.message } };
    const entry = { ...this.#entry(decided, isWithdrawn ? 'withdrawn' : 'withheld'), ...told };
    const { id } = asked.admission;
    if (isWithdrawn) {
      const act = { sha256: summary.sha256, reason: privilegeWithdrawn, now: clock.now() };
      await store.withdraw({ ...act, entry: this.#records.newEntry(entry, asked) });
      revoked(summary.issuer);
    } else if ((await this.#recordOf(decided, entry)) === 'conflict') {
      throw new SallyportError('conflict', 'the device was erased before its certificate could leave');
    }
    if (!isFinal) return { outcome: 'failed', id, retryAfterSeconds: retryAfterFaultSeconds };
    outside.failed(objection);
    const objections = [objection];
    return { outcome: 'refused', id, objections, retryAfterSeconds: anyTimeSeconds, isPassing: false };
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
        limits: limitsOf(authority, observations, plan),
        summary: summaryOf(observations, facts, plan.names),
        polled: pollOf(asked, observations),
        order: keptOrderOf(asked),
        evidence: usedEvidence(decided, this.#ports.random),
        seen: evidenceSeen(observations.evidence, facts.context.evidence?.verified === true),
        ...contestOf(observations, verdict),
        now: time,
        entry: this.#records.newEntry(this.#entry(decided, 'held'), asked),
      });
      const seconds = retryAfterSeconds(time - held.firstSeen, authority.longestRetryAfterSeconds);
      return { outcome: 'held', id, retryAfterSeconds: seconds };
    } catch (error) {
      if (isSallyportError(error, 'conflict')) return 'conflict';
      throw error;
    }
  }

  async #redeliver(decided: Decided, sha256: string): Promise<Answer | 'conflict'> {
    const stored = await this.#ports.store.certificate(sha256);
    if (stored === null) throw new SallyportError('store', `certificate ${sha256} is not in the store`);
    const { issuer, serialNumber, template, deviceId, predecessor, undelivered } = stored;
    const certificate = { issuer, serialNumber, sha256, template, deviceId, predecessor };
    const entry: RequestEntry = { ...this.#entry(decided, 'redelivered'), certificate };
    if ((await this.#recordOf(decided, entry)) === 'conflict') return 'conflict';
    const { id } = decided.asked.admission;
    return {
      outcome: 'redelivered',
      id,
      certificate: stored.der,
      summary: certificate,
      undelivered,
      madeKey: null,
    };
  }

  async #issue(decided: Decided, plan: Plan): Promise<Answer | 'conflict'> {
    const { asked, authority, observations, verdict, time } = decided;
    const { store, random, clock } = this.#ports;
    const inForce = issuerOf(plan, authority);
    const { issuer } = inForce;
    const serialNumber = randomSerialNumber(random);
    const madeKey = asked.keygen ? await makeKey(plan.template) : null;
    const spki = madeKey?.spki ?? asked.key;
    const issuePlan = { ...plan, ...plan.names, ...inForce, spki, serialNumber };
    const linted = lint(buildTbs(issuePlan, issuer), issuePlan, issuer);
    const mandate = mintMandate(verdict, linted);

    const device = observations.device!;
    const seen = asSeen(device);
    const { secret, approval, presenter } = observations;
    const predecessor = decided.facts.action === 'renew' ? (presenter?.sha256 ?? null) : null;
    // An approval is used up by what needed it, and left open by what did not.
    const approvalId = needsApproval(decided.facts, authority.bundle) ? approval!.id : null;
    const evidence = usedEvidence(decided, random);
    if (clock.now() - time > verdictHoldsMilliseconds) return 'conflict';
    const reserved = await store.reserve({
      id: asked.admission.id,
      issuer: issuer.name,
      serialNumber,
      tbsSha256: mandate.tbsHash,
      deviceId: device.id,
      seen,
      template: plan.template.name,
      spki: sha256Hex(spki),
      requestSpki: asked.spki,
      names: plan.namesDigest,
      fresh: isFresh(decided.facts.action, observations),
      secret: secret === null ? null : { id: secret.id!, state: secret.state as 'live' | 'reserved' },
      approvalId,
      order: orderOf(asked),
      predecessor,
      lineage: lineageSeen(observations, predecessor),
      evidence,
      limits: limitsOf(authority, observations, plan),
      leaseUntil: time + leaseMilliseconds,
      now: time,
    });
    if (reserved === 'conflict') return 'conflict';

    const certificate = await issue(issuer, mandate);
    const summary = summaryOfIssued(certificate, issuer.name, plan, device.id, predecessor);
    // The sweep may have it on the CRL already, or in a moment.
    if (clock.now() >= time + leaseMilliseconds) {
      throw new SallyportError('conflict', 'this process stood still for longer than its intent is leased');
    }
    const undelivered = (plan.template.workflows ?? []).length > 0;
    await store.close({
      undelivered,
      intentId: asked.admission.id,
      requestId: asked.admission.id,
      requestSpki: asked.spki,
      certificate: storedForm(certificate, summary, sha256Hex(spki), plan.namesDigest),
      seen,
      lineage: lineageSeen(observations, predecessor),
      secretId: secret?.id ?? null,
      approvalId,
      order: keptOrderOf(asked),
      evidence,
      issuedBefore: issuedBefore(asked, observations),
      now: time,
      entry: this.#records.newEntry({ ...this.#entry(decided, 'issued'), certificate: summary }, asked),
    });
    const { id } = asked.admission;
    return { outcome: 'issued', id, certificate: certificate.der, summary, undelivered, madeKey };
  }

  #entry({ asked, observations, facts, verdict, authority, time }: Decided, outcome: Outcome): RequestEntry {
    const entry = entryOf(asked.admission, observations, facts, verdict, authority, time, outcome);
    return { ...entry, ...asked.keeping?.naming };
  }

  /** A device that was observed may have been erased since: then it is not named. */
  async #recordOf({ asked, observations }: Decided, entry: RequestEntry): Promise<LogPosition | 'conflict'> {
    const { device, secret, presenter } = observations;
    const named = [device?.id, secret?.userNameDevice, presenter?.record?.deviceId];
    const naming = new Set(named.filter((id) => typeof id === 'string'));
    try {
      return await this.#ports.store.record(this.#records.newEntry(entry, asked), [...naming]);
    } catch (error) {
      if (isSallyportError(error, 'conflict')) return 'conflict';
      throw error;
    }
  }
}
