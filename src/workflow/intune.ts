import { createHash } from 'node:crypto';
import { type Workflow, type WorkflowAnswer, workflowCode, type WorkflowRequest } from '#enrollment';
import { formatName, parseCertificate } from '#x509';
import type { HttpsCall } from './https-call.ts';
import { type EntraSettings, serviceLocation, tokens } from './intune-access.ts';
import { membersOf } from './members.ts';

export interface IntuneSettings extends EntraSettings {
  /** Name and version, for Intune's own logs. */
  readonly callerInfo: string;
}

export interface IntunePorts {
  readonly call: HttpsCall;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly uuid: () => string;
  readonly report: (error: unknown) => void;
}

/** Of the validation service, as its open library has it. */
const apiVersion = '2018-02-20';
const accessDenied = 0x80070005;
const unexpected = 0x8000ffff;
const maximumDescription = 255;

/**
 * Intune as a third-party CA's SCEP server asks it: the contract is that of Microsoft's open library (Intune-Resource-Access, CsrValidation). A status of
 * 200 says nothing: the body's `code` does, and `Success` alone is agreement. The same holds for the notification of success: without it nothing is delivered.
 */
export function intune(settings: IntuneSettings, ports: IntunePorts): Workflow {
  const { call, now, uuid, report } = ports;
  const { callerInfo, resourceUrl } = settings;
  const token = tokens(settings, call, now);
  const location = serviceLocation(settings, token, call, uuid);

  const post = async (action: string, body: object): Promise<WorkflowAnswer> => {
    try {
      const uri = await location.find();
      const answer = await call({
        method: 'POST',
        url: `${uri}/ScepActions/${action}`,
        headers: {
          authorization: `Bearer ${await token.of(resourceUrl)}`,
          'client-request-id': uuid(),
          'api-version': apiVersion,
          'content-type': 'application/json; charset=utf-8',
        },
        body: JSON.stringify(body),
      });
      if (answer.status === 200) return answerOf(answer.body);
      // Either may have changed since it was had.
      location.forget();
      token.forget();
      return unavailable(`http-${answer.status}`);
    } catch (error) {
      location.forget();
      report(error);
      return unavailable('no-answer');
    }
  };

  const common = ({ transactionID, certificationRequest }: WorkflowRequest) => ({
    transactionId: transactionID ?? '',
    certificateRequest: Buffer.from(certificationRequest).toString('base64'),
  });

  return {
    async validate(request) {
      if (request.transactionID === null || request.transactionID.trim() === '') {
        return { decision: 'refused', code: 'no-transaction', device: null };
      }
      return post('validateRequest', { request: { ...common(request), callerInfo } });
    },
    async deliver(request, der) {
      const { serialNumber, notAfter, issuer } = parseCertificate(der);
      const notification = {
        ...common(request),
        certificateThumbprint: createHash('sha1').update(der).digest('hex').toUpperCase(),
        certificateSerialNumber: serialNumber,
        certificateExpirationDateUtc: new Date(notAfter).toISOString(),
        issuingCertificateAuthority: formatName(issuer),
        callerInfo,
      };
      return post('successNotification', { notification });
    },
    async failed(request, { control, words }) {
      const notification = {
        ...common(request),
        hResult: control === 'failed' ? unexpected : accessDenied,
        errorDescription: `${control}: ${words}`.slice(0, maximumDescription),
        callerInfo,
      };
      await post('failureNotification', { notification });
    },
  };
}

function answerOf(body: unknown): WorkflowAnswer {
  const { code } = membersOf(body);
  if (code === 'Success') return { decision: 'agreed', code, device: null };
  return { decision: 'refused', code: workflowCode(code), device: null };
}

function unavailable(code: string): WorkflowAnswer {
  return { decision: 'unavailable', code, device: null };
}
