import { SallyportError } from '#errors';
import type { Objection } from '#policy';
import type { Der } from '#x509';
import type { Authority } from './authority.ts';
import { actionOf } from './derive.ts';
import type { Observations, WorkflowObservation } from './observations.ts';
import type { Asked } from './observe.ts';
import { wouldPass } from './passing.ts';
import { named } from './references.ts';
import type { WorkflowAnswer, WorkflowRequest } from './workflow.ts';

/** Whether the template has workflows, and nothing else stands against the request for good: no stranger makes us call others for what is refused anyway. */
export function isWorthAsking(observations: Observations, authority: Authority, time: number): boolean {
  const hasWorkflows = workflowsOf(observations, authority).length > 0;
  return hasWorkflows && observations.device !== null && wouldPass(observations, authority, time);
}

/** The workflows of one request. */
export interface WorkflowsAsked {
  /** Of which device they were asked. */
  readonly device: string;
  readonly said: readonly WorkflowObservation[];
  /** Asks them whether the certificate may leave, one after the other until one does not agree. null: it may. */
  withheld(certificate: Der): Promise<Withheld | null>;
  /** Tells those that agreed that nothing came of it. Not waited for. `objection` absent: a fault of ours. */
  failed(objection?: Objection): void;
}

/** A certificate that is issued and does not leave. */
export interface Withheld {
  /** The workflow has refused; otherwise it could not be asked, and the same request may be answered later. */
  readonly isFinal: boolean;
  readonly error: SallyportError;
  readonly objection: Objection;
}

/** All at once: each alone can refuse. */
export async function askWorkflows(
  asked: Asked,
  observations: Observations,
  authority: Authority,
): Promise<WorkflowsAsked> {
  const device = observations.device!.id;
  const request = workflowRequest(asked, observations, authority, device);
  const workflows = workflowsOf(observations, authority).map(
    (name) => [name, authority.workflows.get(name)] as const,
  );
  const said = await Promise.all(
    workflows.map(async ([name, workflow]) => observed(name, await workflow?.validate(request), device)),
  );
  return {
    device,
    said,
    async withheld(certificate) {
      for (const [name, workflow] of workflows) {
        const answer = observed(name, await workflow?.deliver(request, certificate), device);
        if (answer.decision !== 'agreed') return withheldBy(answer);
      }
      return null;
    },
    failed(objection) {
      const failure =
        objection === undefined
          ? { control: 'failed', words: 'a fault of the authority' }
          : { control: objection.control, words: objection.title };
      for (const [name, workflow] of workflows) {
        const hasAgreed = said.some((each) => each.name === name && each.decision === 'agreed');
        if (hasAgreed) void workflow?.failed(request, failure);
      }
    },
  };
}

function withheldBy({ name, decision, code }: WorkflowObservation): Withheld {
  const isFinal = decision === 'refused';
  const detail = `workflow ${name}: ${decision} (${code})`;
  const words = `the certificate was issued, and did not leave: ${detail}`;
  return {
    isFinal,
    error: new SallyportError(isFinal ? 'forbidden' : 'store', words),
    objection: {
      control: 'workflow-delivery',
      title: 'Every workflow of the template must let the certificate leave',
      detail,
      liftable: false,
    },
  };
}

function workflowsOf({ source }: Observations, { references }: Authority): readonly string[] {
  return named(references.templates, source.template)?.workflows ?? [];
}

/** Who answers for the challenge gets it, and the request as it came, also where a renewal brings one. A secret of ours and a static challenge are no concern of theirs. */
function workflowRequest(
  asked: Asked,
  observations: Observations,
  { references }: Authority,
  device: string,
): WorkflowRequest {
  const { admission, credential, request, keeping, transactionID } = asked;
  if (request === null || keeping === null) {
    throw new SallyportError('internal', 'a template of attestation keys has no workflows');
  }
  const answered = asked.challenge?.kind === 'workflow';
  const template = named(references.templates, admission.source.template);
  const answersForAll = template?.authentication.includes('workflow') === true;
  const isTheirs = answered || (answersForAll && credential?.kind === 'certificate');
  // In EST the challengePassword of a request binds it to its connection.
  const inRequest = admission.source.protocol === 'scep' ? request.challengePassword : null;
  const challenge = credential?.kind === 'secret' ? credential.secret : inRequest;
  return {
    id: admission.id,
    protocol: admission.source.protocol,
    template: admission.source.template ?? '',
    action: actionOf(observations, references),
    transactionID,
    challenge: isTheirs ? challenge : null,
    certificationRequest: isTheirs ? request.der : keeping.blob.bytes,
    device,
    address: admission.source.address,
  };
}

/** A workflow that is not in force any more agrees to nothing. */
function observed(name: string, answer: WorkflowAnswer | undefined, device: string): WorkflowObservation {
  if (answer === undefined) return { name, decision: 'unavailable', code: 'not-configured', device: 'none' };
  const { decision, code } = answer;
  const of = answer.device === null ? 'none' : answer.device === device ? 'same' : 'other';
  return { name, decision, code, device: of };
}
