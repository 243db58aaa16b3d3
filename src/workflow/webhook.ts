import { createHmac } from 'node:crypto';
import { type Workflow, type WorkflowAnswer, workflowCode, type WorkflowRequest } from '#enrollment';
import type { HttpsCall } from './https-call.ts';
import { membersOf } from './members.ts';

export interface WebhookSettings {
  readonly url: string;
  readonly key: string;
}

export interface WebhookPorts {
  readonly call: HttpsCall;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly report: (error: unknown) => void;
}

/** A system of the operator's own, asked with signed questions (docs/workflows.md). */
export function webhook({ url, key }: WebhookSettings, { call, now, report }: WebhookPorts): Workflow {
  const ask = async (question: object): Promise<WorkflowAnswer> => {
    const body = JSON.stringify(question);
    try {
      const answer = await call({ method: 'POST', url, headers: headersOf(body, key, now()), body });
      if (answer.status !== 200) return unavailable(`http-${answer.status}`);
      return answerOf(answer.body);
    } catch (error) {
      report(error);
      return unavailable('no-answer');
    }
  };
  return {
    validate: (request) => ask({ schema: 'sallyport.validate/1', ...asked(request, now()) }),
    deliver: (request, certificate) =>
      ask({
        schema: 'sallyport.deliver/1',
        ...asked(request, now()),
        certificate: Buffer.from(certificate).toString('base64'),
      }),
    async failed(request, failure) {
      await ask({ schema: 'sallyport.failed/1', ...asked(request, now()), challenge: null, failure });
    },
  };
}

/** The time is signed with the rest, so that a question that was overheard is of no use later. */
export function headersOf(body: string, key: string, now: number): Record<string, string> {
  const time = Math.floor(now / 1000);
  const mac = createHmac('sha256', key).update(`${time}.${body}`).digest('hex');
  return { 'content-type': 'application/json', 'sallyport-signature': `t=${time},v1=${mac}` };
}

function asked(request: WorkflowRequest, now: number) {
  const { id, protocol, template, action, transactionID, challenge, certificationRequest } = request;
  return {
    requestId: id,
    time: new Date(now).toISOString(),
    protocol,
    template,
    phase: action === 'renew' ? 'renewal' : 'enrollment',
    transactionID,
    challenge,
    certificationRequest: Buffer.from(certificationRequest).toString('base64'),
    device: { id: request.device },
    source: { address: request.address },
  };
}

/** Whatever is no plain word of agreement is a refusal. */
function answerOf(body: unknown): WorkflowAnswer {
  const { decision, code, device } = membersOf(body);
  const { id } = membersOf(device);
  const isAgreed = decision === 'allow';
  // Who speaks of a device in a way that cannot be read does not speak of this one.
  const named = device === undefined || device === null ? null : typeof id === 'string' ? id : '';
  const isKnown = isAgreed || decision === 'deny';
  return {
    decision: isAgreed ? 'agreed' : 'refused',
    code: !isKnown ? 'unknown-decision' : code === undefined ? decision : workflowCode(code),
    device: named,
  };
}

function unavailable(code: string): WorkflowAnswer {
  return { decision: 'unavailable', code, device: null };
}
