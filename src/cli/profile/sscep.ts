import { SallyportError } from '#errors';
import { continued, quoted } from '../trust/shell.ts';
import { toldNames } from './alternative-names.ts';
import { commonShortNames, plainSubject } from './plain-subject.ts';
import type { Challenge, DeviceService } from './profile.ts';
import { rsaKeyBits } from './rsa-key-bits.ts';
import { fileOf, raVerification, script, scriptFiles } from './script.ts';

const client = 'sscep';
const { ra, key, certificate } = scriptFiles;
const kinds = { dns: 'DNS', email: 'email', uri: 'URI', ip: 'IP' } as const;

/** sscep 0.10, with requests made by openssl. The secret is in the request, which openssl makes from a file. */
export function renderSscepScript(service: DeviceService, { secret }: Challenge): string {
  const { url, template, patience } = service;
  if (!url.startsWith('http:')) {
    throw new SallyportError(
      'usage',
      `sscep speaks no TLS: name a listener of class enroll-http, or its address with --url`,
    );
  }
  const bits = rsaKeyBits(template, client);
  const request = requestConfiguration(service, secret);
  const interval = Math.min(patience.intervalSeconds, patience.totalSeconds);
  const polls = Math.max(1, Math.ceil(patience.totalSeconds / interval));
  return script(service, { client }, [
    [
      '# The certificate of the RA, which comes first. sscep itself would take any.',
      `sscep getca -u ${quoted(url)} -c received`,
      `mv received-0 ${ra}`,
      raVerification(service),
    ].join('\n'),
    `[ -s ${key} ] || openssl genrsa -out ${key} ${bits}`,
    fileOf('request.conf', request),
    [
      `openssl req -new -sha256 -key ${key} -config request.conf -out request.pem`,
      continued(
        `sscep enroll -u ${quoted(url)} -c ${ra}`,
        `-k ${key} -r request.pem -l ${certificate}`,
        '-E aes -S sha256',
        `-t ${interval} -T ${patience.totalSeconds} -n ${polls}`,
      ),
      'rm request.conf request.pem',
    ].join('\n'),
  ]);
}

/** config(5) of OpenSSL. Nothing in it needs an escape. */
function requestConfiguration({ subject, subjectAltName }: DeviceService, secret: string): string {
  const names = toldNames(subjectAltName, ({ value }) => /^[\w.:@/-]+$/.test(value));
  return [
    '[req]',
    'prompt = no',
    'string_mask = utf8only',
    'distinguished_name = subject',
    'attributes = attributes',
    ...(names.length === 0 ? [] : ['req_extensions = extensions']),
    '[subject]',
    ...plainSubject(subject, client, commonShortNames).map(
      ({ name, value }, at) => `${at}.${name} = ${value}`,
    ),
    '[attributes]',
    `challengePassword = ${secret}`,
    ...(names.length === 0
      ? []
      : [
          '[extensions]',
          'subjectAltName = @names',
          '[names]',
          ...names.map(({ kind, value }, at) => `${kinds[kind]}.${at} = ${value}`),
        ]),
  ].join('\n');
}
