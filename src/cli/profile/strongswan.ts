import { SallyportError } from '#errors';
import { continued, quoted } from '../trust/shell.ts';
import { commonShortNames, plainSubject } from './plain-subject.ts';
import type { Challenge, DeviceService } from './profile.ts';
import { rsaKeyBits } from './rsa-key-bits.ts';
import { fileOf, intermediateFiles, raVerification, script, scriptFiles } from './script.ts';

const client = 'strongSwan';
const { root, ra, key, certificate } = scriptFiles;

/** strongSwan's pki, as 5.9.8 has it. The secret goes by a file of options, and never stands among the arguments that everybody on the device can read. */
export function renderStrongSwanScript(service: DeviceService, { secret }: Challenge): string {
  const { url, template, patience } = service;
  if (service.caCertificates === 'issuer') {
    throw new SallyportError(
      'usage',
      `strongSwan trusts the RA only by a path to a root that came with it: give listener ${service.listener} caCertificates: path, or name another listener`,
    );
  }
  const subject = plainSubject(service.subject, client, commonShortNames)
    .map(({ name, value }) => `${name}=${value}`)
    .join(', ');
  const trusted = [root, ...intermediateFiles(service)];
  const [anchor, ...others] = trusted;
  const bits = rsaKeyBits(template, client);
  const interval = Math.min(patience.intervalSeconds, patience.totalSeconds);
  return script(service, { client: "strongSwan's pki" }, [
    [
      '# The certificate of the RA. pki itself would take any that comes with a CA of its own.',
      ...(url.startsWith('https:')
        ? [`# pki fetches over TLS by the CAs that libcurl trusts: ${root} must be among them.`]
        : []),
      continued(
        `pki --scepca --url ${quoted(url)}`,
        `--caout received.pem --raout ${ra}`,
        '--outform pem --force',
      ),
      raVerification(service),
    ].join('\n'),
    `[ -s ${key} ] || pki --gen --type rsa --size ${bits} --outform pem > ${key}`,
    fileOf('scep.options', `--password "${secret}"`),
    [
      '# It renews with the certificate that it has: --cert and --key instead of the options, and another key for --in.',
      continued(
        `pki --scep --options scep.options --url ${quoted(url)}`,
        `--in ${key} --dn ${quoted(subject)}`,
        `--cacert-enc ${ra} --cacert-sig ${anchor!}`,
        ...others.map((file) => `--cacert ${file}`),
        `--interval ${interval} --maxpolltime ${patience.totalSeconds}`,
        `--outform pem > ${certificate}.part`,
      ),
      `mv ${certificate}.part ${certificate}`,
      'rm scep.options',
    ].join('\n'),
  ]);
}
