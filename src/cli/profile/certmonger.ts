import { continued, quoted } from '../trust/shell.ts';
import { type AlternativeName, toldNames } from './alternative-names.ts';
import { commonShortNames, plainSubject } from './plain-subject.ts';
import type { Challenge, DeviceService } from './profile.ts';
import { rsaKeyBits } from './rsa-key-bits.ts';
import { fileOf, intermediatesInOneFile, raVerification, script, scriptFiles } from './script.ts';

const client = 'certmonger';
const { root, ra, key, certificate } = scriptFiles;
const options: Readonly<Record<AlternativeName['kind'], string | null>> = {
  dns: '-D',
  email: '-E',
  ip: '-A',
  uri: null,
};

/**
 * getcert, as certmonger 0.79.17 has it. Left to itself it encrypts to whatever RA answers, and verifies only the answer (tried): so the RA is verified here, and
 * given to it.
 */
export function renderCertmongerScript(service: DeviceService, { secret }: Challenge): string {
  const { url, template, patience } = service;
  const name = `sallyport-${template.name}`;
  const subject = plainSubject(service.subject, client, commonShortNames)
    .map(({ name: type, value }) => `${type}=${value}`)
    .join(',');
  const told = toldNames(service.subjectAltName, ({ kind }) => options[kind] !== null);
  const between = intermediatesInOneFile(service);
  const isTls = url.startsWith('https:');
  const here = (file: string) => `"$PWD/${file}"`;
  return script(
    service,
    { client, afterwards: `certmonger goes on by itself: getcert list -i ${name} says how it stands.` },
    [
      [
        '# The certificate of the RA, which comes first. certmonger itself would take any, and send the secret to it.',
        continued(
          `curl --silent --show-error --fail${isTls ? ` --cacert ${root} --capath /dev/null` : ''}`,
          `-o received.p7 ${quoted(`${url}?operation=GetCACert`)}`,
        ),
        'openssl pkcs7 -inform DER -in received.p7 -print_certs -out received.pem',
        `openssl x509 -in received.pem -out ${ra}`,
        raVerification(service),
        continued(
          `getcert add-scep-ca -c ${name} -u ${quoted(url)}`,
          ...(isTls ? [`-R ${here(root)}`] : []),
          `-r ${here(ra)} -N ${here(root)}`,
          ...(between === null ? [] : [`-I ${here(between)}`]),
        ),
      ].join('\n'),
      fileOf('challenge', secret),
      [
        continued(
          `getcert request -c ${name} -I ${quoted(name)}`,
          `-k ${here(key)} -f ${here(certificate)}`,
          `-G rsa -g ${rsaKeyBits(template, client)}`,
          `-N ${quoted(subject)}`,
          ...told.map(({ kind, value }) => `${options[kind]!} ${quoted(value)}`),
          `-l ${here('challenge')} -w --wait-timeout ${patience.totalSeconds}`,
        ),
        '# While an operator has not approved it, certmonger asks again after hours only; this asks at once:',
        `# getcert resubmit -i ${name} -w`,
      ].join('\n'),
    ],
  );
}
